/** A loop of the shell that reads lines, and prints each as a document of JSON with the keys `time` and `message`. */
const linesToJson = [
  "while IFS= read -r line; do",
  `  message=$(printf %s "$line" | tr -d '\\000-\\037' | sed 's/[\\\\"]/\\\\&/g')`,
  `  printf '{"time":"%s","message":"%s"}\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$message"`,
  "done",
].join("\n");

/**
 * A script of the shell that never ends, whose every line of output, an error's too, becomes a document of JSON with the keys
 * `time` and `message`, for collectors that take nothing else.
 */
export function inJsonLines(script: string): string {
  return ["{", script, `} 2>&1 | ${linesToJson}`].join("\n");
}

/** The same of a script that ends: its exit status stays, which a pipeline's would hide. */
export function jobInJsonLines(script: string): string {
  return [
    "exec 3>&1",
    "status=$(",
    "{",
    "{",
    "(",
    script,
    ") 2>&1 4>&-",
    "echo $? >&4",
    `} | ${linesToJson} >&3`,
    "} 4>&1",
    ")",
    'exit "$status"',
  ].join("\n");
}
