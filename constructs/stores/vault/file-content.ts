import { isJsonObject } from "./json-object";

/**
 * A value of Vault's as its CSI provider writes it to a file: text as it is, anything else as Go's `json.Marshal` does, which
 * sorts the keys and escapes what HTML would read. Numbers are the same: KV v2 keeps each as a double, and Go writes those as
 * JavaScript does (measured).
 */
export function fileContent(value: unknown): string {
  return typeof value === "string" ? value : goJson(value);
}

function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (!isJsonObject(value)) return escaped(JSON.stringify(value));
  const keys = Object.keys(value).sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return `{${keys.map((key) => `${goJson(key)}:${goJson(value[key])}`).join(",")}}`;
}

function escaped(json: string): string {
  return json.replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => String.raw`\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
