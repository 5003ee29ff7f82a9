import { fileContent } from "../../../../constructs/stores/vault/file-content";

// Each as vault-csi-provider 1.7 writes it, by Go's json.Marshal.
it.each<[value: unknown, file: string]>([
  ["text & <more>", "text & <more>"],
  [{ uri: "https://x.example/?a=1&b=2" }, String.raw`{"uri":"https://x.example/?a=1\u0026b=2"}`],
  [{ b: "<", a: [">", null, true] }, String.raw`{"a":["\u003e",null,true],"b":"\u003c"}`],
  [{ 9: 1.5, 10: 1e21, B: {}, a: [] }, '{"10":1e+21,"9":1.5,"B":{},"a":[]}'],
  [{ "a&b": "\u2028\n" }, String.raw`{"a\u0026b":"\u2028\n"}`],
  [12, "12"],
  [null, "null"],
])("%j is in its file %s", (value, file) => {
  expect(fileContent(value)).toBe(file);
});
