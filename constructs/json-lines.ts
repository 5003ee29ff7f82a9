/**
 * A script of the shell whose every line of output, an error's too, becomes a document of JSON with the keys `time` and `message`,
 * for collectors that take nothing else.
 */
export function inJsonLines(script: string): string {
  return [
    "{",
    script,
    "} 2>&1 | while IFS= read -r line; do",
    `  message=$(printf %s "$line" | tr -d '\\000-\\037' | sed 's/[\\\\"]/\\\\&/g')`,
    `  printf '{"time":"%s","message":"%s"}\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$message"`,
    "done",
  ].join("\n");
}
