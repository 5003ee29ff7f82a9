import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Checkout } from "./checkout";

const changing = ["up", "refresh", "destroy"];
const commands = ["plan", "preview", ...changing];
/** Arguments that let a command go ahead unasked. */
const unasked = (command: string): string[] => (changing.includes(command) ? [command, "--yes"] : [command]);

const minimal = {
  development: true,
  kubeContext: "staging",
  secrets: [{ name: "client-secret", path: "aidbox/client" }],
  vault: { mode: "dev" },
  aidbox: { image: "healthsamurai/aidboxone:2605" },
};

let checkout: Checkout;
let before: Record<string, string>;
beforeAll(() => {
  checkout = new Checkout({ staging: { kubeContext: "staging" } });
  checkout.install("pulumi");
  checkout.setContexts({ "kind-other": "http://127.0.0.1:1", staging: "http://127.0.0.1:1" });
  before = checkout.files();
});
afterAll(() => {
  checkout.dispose();
});
afterEach(() => {
  // Nothing was touched: no state, no config of the user's, and Pulumi was not run.
  expect(checkout.files()).toEqual(before);
});

/** Runs a command that must refuse with an exit code; what it says. */
async function refusal(code: number, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const ran = await checkout.run(args, env);
  expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code, stdout: "" });
  expect(ran.stderr).not.toMatch(/^\s+at /m); // a stack trace
  return ran.stderr;
}

/** The same for several commands, side by side. */
function refusals(code: number, names: readonly string[], args: (command: string) => string[]): Promise<string[]> {
  return Promise.all(names.map((name) => refusal(code, args(name))));
}

describe("wrong arguments end with 2", () => {
  test("an option that a command does not know", async () => {
    const said = await refusals(2, ["plan", "up"], (command) => [...unasked(command), "--unknown"]);
    for (const each of said) expect(each).toBe("error: unknown option '--unknown'\n");
  });

  test("--yes of a command that asks nothing", async () => {
    expect(await refusal(2, ["preview", "--yes"])).toBe("error: unknown option '--yes'\n");
  });

  test("so does a process of its own, which says why on standard error", async () => {
    const ran = await checkout.spawn(["plan", "--unknown"]);
    expect(ran).toEqual({ code: 2, stdout: "", stderr: "error: unknown option '--unknown'\n" });
  });

  test("a command that there is none of", async () => {
    expect(await refusal(2, ["deploy"])).toContain("error: unknown command 'deploy'");
  });

  test("help of a command that there is none of", async () => {
    expect(await refusal(2, ["help", "plam"])).toBe('there is no command "plam": did you mean plan?\n');
    expect(await refusal(2, ["help", "deploy"])).toBe('there is no command "deploy"\n');
  });

  test("no command", async () => {
    const said = await refusal(2, []);
    for (const command of commands) expect(said).toMatch(new RegExp(`^ +${command} `, "m"));
  });

  test("an override without a value", async () => {
    expect(await refusal(2, ["plan", "--config", "aidbox.replicas"])).toContain("write it as KEY=VALUE");
  });

  test("what changes something without --yes, where there is no terminal to ask at", async () => {
    expect(await refusals(2, changing, (command) => [command])).toEqual(
      changing.map((command) => `\`${command}\` asks before it changes anything: pass --yes to run it unasked.\n`),
    );
  });
});

test("help is no error, and tells the exit codes", async () => {
  const { code, stdout } = await checkout.run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    new RegExp(
      "\\nExit codes: 0 done, 1 failed, 2 wrong arguments or config, 3 waits for an operator, who writes secrets or " +
        "unseals, 4 this machine lacks something, or you a right, 5 a link is broken or a pod is stale, " +
        "6 not all could be checked\\n$",
    ),
  );
});

test("help of a command is no error either", async () => {
  const { code, stdout, stderr } = await checkout.run(["help", "up"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Usage: aidbox-secrets up [options]");
  expect(await checkout.run(["help"])).toMatchObject({ code: 0, stderr: "" });
});

test("the version is the package's", async () => {
  const { version } = JSON.parse(before["root/package.json"]!) as { version: string };
  expect(await checkout.run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

describe("synth", () => {
  test("writes the environment that is asked for, and no other", async () => {
    const other = new Checkout({ staging: { ...minimal, namespaces: { aidbox: "health" } } });
    try {
      const ran = await other.run(["synth", "--env", "staging"]);
      expect(ran).toEqual({ code: 0, stdout: "dist/staging/*.k8s.yaml\n", stderr: "" });
      const written = Object.entries(other.files()).filter(([file]) => file.startsWith("root/dist/"));
      expect(written.map(([file]) => file)).toContain("root/dist/staging/aidbox.k8s.yaml");
      expect(written.filter(([file]) => !file.startsWith("root/dist/staging/"))).toEqual([]);
      expect(Object.fromEntries(written)["root/dist/staging/aidbox.k8s.yaml"]).toContain("namespace: health\n");
    } finally {
      other.dispose();
    }
  });

  test("refuses an environment that there is none of, and an option that it does not know", async () => {
    expect(await refusal(2, ["synth", "--env", "nope"])).toContain("Pulumi.nope.yaml: write it");
    expect(await refusal(2, ["synth", "--foo"])).toBe("error: unknown option '--foo'\n");
  });
});

test.each([
  ["a folder in its place", ["plan", "--svg", "."], "open .: it is a folder (EISDIR)"],
  [
    "a file on its way",
    ["plan", "--svg", "package.json/plan.svg"],
    "mkdir package.json: there is something else by that name (EEXIST)",
  ],
])("a file that cannot be written ends with 4: %s", async (_, args, said) => {
  const other = new Checkout();
  try {
    const ran = await other.run(args);
    expect(ran).toEqual({ code: 4, stdout: "", stderr: `the file system refuses to ${said}\n` });
  } finally {
    other.dispose();
  }
});

test.each(["up", "preview", "refresh", "adopt"])(
  "%s ends with 4 where the cluster does not answer",
  async (command) => {
    const args = command === "adopt" ? ["adopt", "--yes"] : unasked(command);
    const said = await refusal(4, [...args, "--config", "kubeContext=staging"]);
    expect(said).toMatch(/^the cluster of context staging does not answer: .*ECONNREFUSED/m);
  },
);

describe("wrong config ends with 2", () => {
  test("an environment that there is none of, naming those that are", async () => {
    for (const said of await refusals(2, ["plan", "up"], (command) => [...unasked(command), "--env", "prod"])) {
      expect(said).toMatch(/there is no \S+Pulumi\.prod\.yaml: write it, or pass --env with one of: dev, staging\n$/);
    }
  });

  test("an override of a key with the prefix that errors write", async () => {
    expect(await refusal(2, ["plan", "--config", "aidbox-secrets:aidbox.replicas=0"])).toContain(
      "aidbox-secrets:aidbox.replicas: 0: write 1 or more",
    );
  });

  test("an override that the config does not allow", async () => {
    expect(await refusal(2, ["up", "--yes", "--config", "aidbox.replicas=0"])).toContain(
      "aidbox-secrets:aidbox.replicas: 0: write 1 or more",
    );
  });

  test.each([
    ["plan", "values.client-secret=hunter2"],
    ["up", "values.client-secret=hunter2"],
    ["up", "values={client-secret: hunter2}"],
    ["preview", "vaultToken=hunter2"],
  ])("%s with the secret %s, which it does not repeat", async (command, override) => {
    const said = await refusal(2, [...unasked(command), "--config", override]);
    expect(said).toContain(`aidbox-secrets:${override.split("=")[0]!}: holds secrets, and other processes can read`);
    expect(said).not.toContain("hunter2");
  });
});

describe("a kube context that the kubeconfig has not is wrong config", () => {
  const told = (contexts: string): string =>
    `aidbox-secrets:kubeContext (line 4, column 3): "kind-aidbox": the kubeconfig has no such context, but ${contexts}: ` +
    "write one of them, or set KUBECONFIG to the file that has it\n";

  test("naming those it has", async () => {
    for (const said of await refusals(2, ["preview", ...changing], unasked)) {
      expect(said).toContain(told("kind-other, staging"));
    }
  });

  test("together with what else is wrong", async () => {
    const said = await refusal(2, ["up", "--yes", "--config", "aidbox.replicas=0"]);
    expect(said).toContain(told("kind-other, staging"));
    expect(said).toContain("aidbox-secrets:aidbox.replicas: 0: write 1 or more\n");
  });

  test("up, where there is no kubeconfig", async () => {
    const said = await refusal(2, ["up", "--yes"], { KUBECONFIG: "/absent/kubeconfig" });
    expect(said).toContain(
      "there is no kubeconfig, or it has no context: `kind create cluster --name aidbox` makes it; or pass " +
        "--config kubeContext=NAME with one of your own\n",
    );
  });

  test.each([
    { what: "no YAML", kubeconfig: "contexts: [" },
    { what: "a context without its cluster", kubeconfig: "contexts: [{ name: one }]" },
  ])("up, where the kubeconfig is $what", async ({ kubeconfig }) => {
    const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    try {
      const file = join(folder, "config");
      writeFileSync(file, kubeconfig);
      const said = await refusal(2, ["up", "--yes"], { KUBECONFIG: file });
      expect(said).toContain(`the kubeconfig ${file} cannot be read: `);
      expect(said).toContain("mend it, or set KUBECONFIG to another\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
