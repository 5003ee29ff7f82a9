import { generateKeyPairSync } from "node:crypto";
import {
  answersTo,
  authKeys,
  clientSecret,
  expectExit,
  expectSuccess,
  kubectl,
  overrides,
  readSecretFile,
  run,
  story,
  TestStack,
  tokenAnswers,
  tokenOf,
  vaultCommand,
  waitUntil,
} from "./harness";

const admin = { name: "admin-password", path: "aidbox/admin", environment: "BOX_ADMIN_PASSWORD", source: "seeded" };
const secrets = [clientSecret, authKeys, admin];

describe("three replicas that share a keypair", () => {
  const step = story();
  let stack: TestStack;
  let options: string[];
  let token: string;

  beforeAll(async () => {
    stack = await TestStack.create("dev", { secrets });
    options = await overrides({ secrets, "aidbox.replicas": 3 });
  });
  afterAll(() => stack.dispose());

  const yes = (text: string): void => {
    expect(text).toContain("ends all sessions");
  };

  step("without a keypair they are refused, with the row to add", async () => {
    const up = await stack.command(
      "up",
      "--yes",
      ...(await overrides({ secrets: [clientSecret], "aidbox.replicas": 3 })),
    );
    expectExit(up, 2);
    expect(up.stderr).toContain(
      "add the row { name: auth-keys, path: aidbox/auth-keys, keypair: rsa, source: seeded }",
    );
  });

  step("one up from empty: the Client is there in all of them, and a token of one is taken by all", async () => {
    expectSuccess(await stack.command("up", "--yes", ...options));
    expect(await answersTo(await readSecretFile())).toEqual([200, 200, 200]);
    token = await tokenOf(await readSecretFile());
    expect(await tokenAnswers(token)).toEqual([200, 200, 200]);
    expect((await stack.exportState("--show-secrets")).includes("PRIVATE KEY")).toBe(false);
    expectSuccess(await stack.command("verify", ...options));
  });

  step(
    "a rotated Client secret: 200 with the new one and 401 with the old one in all, within a second or so",
    async () => {
      const before = await readSecretFile();
      expectSuccess(await stack.command("rotate", "client-secret", "--generate", "32", ...options));
      expect(await answersTo(await readSecretFile())).toEqual([200, 200, 200]);
      expect(await answersTo(before)).toEqual([401, 401, 401]);
    },
  );

  step(
    "throughout the roll of another environment secret the token stays good, in every pod that answers",
    async () => {
      const start = Date.now();
      const roll = stack.command("rotate", "admin-password", "--generate", "32", "--restart", ...options);
      const state = { isDone: false };
      const rolled = roll.finally(() => (state.isDone = true));
      const answers: number[] = [];
      while (!state.isDone) answers.push(...(await tokenAnswers(token)));
      expectSuccess(await rolled);
      console.info(`${answers.length} answers in ${((Date.now() - start) / 1000).toFixed(0)} s of a roll`);
      expect(answers.length).toBeGreaterThan(20);
      expect(new Set(answers)).toEqual(new Set([200]));
      expect(await tokenAnswers(token)).toEqual([200, 200, 200]);
    },
  );

  step("the pair is rotated as one, and only when asked for: all sessions end", async () => {
    const refused = await stack.command("rotate", "auth-keys", ...options);
    expectExit(refused, 2);
    yes(refused.stderr);
    const [start, secret] = [Date.now(), await readSecretFile()];
    const rotated = stack.command("rotate", "auth-keys", "--yes", "--restart", ...options);
    const state = { isDone: false };
    const finished = rotated.finally(() => (state.isDone = true));
    const mixed: number[] = [];
    while (!state.isDone) {
      const answers = await tokenAnswers(token);
      if (answers.includes(200) && answers.includes(401)) mixed.push(Date.now());
    }
    expectSuccess(await finished);
    const took = (mixed.at(-1)! - mixed[0]!) / 1000;
    console.info(`pods differed for ${took.toFixed(1)} s of ${((Date.now() - start) / 1000).toFixed(0)}`);
    expect(await tokenAnswers(token)).toEqual([401, 401, 401]);
    token = await tokenOf(secret);
    expect(await tokenAnswers(token)).toEqual([200, 200, 200]);
    expectSuccess(await stack.command("verify", ...options));
  });

  step("a pod that starts later takes the same tokens", async () => {
    const [pod] = (
      await kubectl("-n", "aidbox", "get", "pods", "-l", "app.kubernetes.io/name=aidbox", "-o", "name")
    ).split("\n");
    await kubectl("-n", "aidbox", "delete", pod!, "--wait=true");
    await waitUntil(async () => {
      const answers = await tokenAnswers(token);
      return answers.length === 3 && answers.every((each) => each === 200);
    }, 60);
  });

  step("an external pair of halves of two is refused by up and named by verify; a matching one is taken", async () => {
    const external = secrets.map((row) =>
      row === authKeys ? { ...authKeys, path: "theirs/keys", source: "external" } : row,
    );
    const own = await overrides({ secrets: external, "aidbox.replicas": 3 });
    expectExit(await stack.command("up", "--yes", ...own), 3);
    const of = (part: string): Promise<string> => readSecretFile(`auth-keys-${part}`);
    const [privateKey, publicKey, secret] = await Promise.all([of("private"), of("public"), of("secret")]);
    const put = async (text: object): Promise<void> => {
      const args = [
        "-n",
        "vault",
        "exec",
        "-i",
        "vault-0",
        "--",
        "vault",
        "kv",
        "put",
        "-mount=secret",
        "theirs/keys",
        "-",
      ];
      expectSuccess(await run("kubectl", args, { input: JSON.stringify(text) }));
    };
    const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await put({ private: privateKey, public: other.export({ type: "spki", format: "pem" }), secret });
    const refused = await stack.command("up", "--yes", ...own);
    expectExit(refused, 3);
    expect(refused.stdout + refused.stderr).toContain(
      "auth-keys (secret/theirs/keys): public does not belong to private",
    );
    expect(refused.stdout + refused.stderr).not.toContain(privateKey.split("\n")[1]);
    await put({ private: privateKey, public: publicKey, secret });
    expectSuccess(await stack.command("up", "--yes", ...own));
    expect(await tokenAnswers(token)).toEqual([200, 200, 200]);
    expect(await vaultCommand(["kv", "get", "-mount=secret", "-field=public", "theirs/keys"])).toContain("PUBLIC KEY");
  });
});
