import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

test("the program's children do not get the config, which Pulumi hands over decrypted, and it still has it", () => {
  const script = `
    require("./infra/main.js");
    const { Config } = require("@pulumi/pulumi");
    const child = require("node:child_process").execFileSync("env", { encoding: "utf8" });
    console.log(JSON.stringify({ own: new Config("aidbox-secrets").get("name"), ofChild: child.includes("planted") }));
  `;
  const env = { ...process.env, PULUMI_CONFIG: JSON.stringify({ "aidbox-secrets:name": "planted" }) };
  const ran = execFileSync(process.execPath, ["-e", script], {
    cwd: resolve(__dirname, "../.."),
    env,
    encoding: "utf8",
  });
  expect(JSON.parse(ran)).toEqual({ own: "planted", ofChild: false });
});
