import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { explain } from "../../../infra/operate/explain";
import type { Rotation } from "../../../infra/operate/follow-change";
import { operatorRights } from "../../../infra/operate/rights";
import type { Status } from "../../../infra/operate/status";
import type { Verification } from "../../../infra/operate/verify";
import { hurryTimers } from "../../hurry-timers";
import { clientSecret, config, expectNoSecret, rootToken, Site, staticRole, values } from "../operate/site";
import { checkVaultEnvironment } from "../vault-environment";
import { Checkout } from "./checkout";
import type { Ran } from "./ran";

hurryTimers();

const wide = {
  ...config,
  secrets: [
    ...config.secrets,
    {
      name: "kafka",
      path: "a/path/that/is/so/long/that/a/box/around/it/does/not/fit/into/eighty/columns",
      scope: { resourceType: "IdentityProvider" },
    },
    { name: "jaas", path: "aidbox/jaas", scope: { resourceType: "AidboxTopicDestination" } },
  ],
};

const password = (path: string): object => ({ name: "database-password", path, environment: "BOX_DB_PASSWORD" });
const tenants = {
  ...config,
  tenants: [
    { name: "north", secrets: [password("north/database")] },
    { name: "south", namespace: "southern", secrets: [password("south/database")] },
  ],
};

const engine = { ...config, secrets: [staticRole] };

let checkout: Checkout;
let before: Record<string, string>;
beforeAll(() => {
  checkout = new Checkout({ test: config, wide, tenants, engine });
  checkout.setContexts({ somewhere: "https://127.0.0.1:1", other: "https://127.0.0.1:1" });
  before = checkout.files();
});
afterAll(() => {
  expect(checkout.files()).toEqual(before); // none of the commands leaves anything behind
  checkout.dispose();
});

/** Runs a command, and makes sure of what is true of each: no escape codes, no stack trace, no value. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string): Promise<Ran> {
  const ran = await checkout.run(args, { VAULT_TOKEN: rootToken, ...env }, input);
  expect(ran.stdout + ran.stderr).not.toContain("\u001b");
  expect(ran.stdout + ran.stderr).not.toMatch(/^\s+at /m);
  expectNoSecret(ran.stdout, ran.stderr);
  return ran;
}

/** Runs a command that must succeed and say nothing on standard error; what it prints. */
async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

/** Runs a command that must refuse with an exit code and print nothing; what it says. */
async function refusal(
  code: number,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
  input?: string,
): Promise<string> {
  const ran = await run(args, env, input);
  expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code, stdout: "" });
  return ran.stderr;
}

describe("explain", () => {
  test("draws the way of a secret, and what to paste", async () => {
    expect(await printed("explain", "client-secret")).toMatchSnapshot();
  });

  test("says of a secret without scope that no resource refers to it", async () => {
    const text = await printed("explain", "admin-password", "--env", "test");
    expect(text).toContain(
      "│ variable BOX_ADMIN_PASSWORD, by the Secret aidbox-environment; a change rolls the pods │\n",
    );
    expect(text).toMatch(
      /\n\nIts row has no scope with a field for it, so no resource refers to it: it is a file only\.\n$/,
    );
  });

  test("keeps its boxes whole where they are wider than a terminal, and names all fields that take it", async () => {
    const text = await printed("explain", "kafka", "--env", "wide");
    const boxes = text.split("\n").filter((line) => /[┌│└]/.test(line));
    expect(new Set(boxes.map((line) => line.length)).size).toBe(1);
    expect(boxes.join("\n")).toContain(`│ path "secret/data/${wide.secrets.at(-2)!.path}" {`);
    const [, pasted = ""] = /in place of client\.secret:\n\n(\{[^]*\n\})\n/.exec(text) ?? [];
    expect(text).toContain("\nPaste this into the resource, as _secret of client, in place of client.secret:\n");
    expect(JSON.parse(pasted)).toEqual({
      _secret: explain(checkVaultEnvironment("wide", wide), "kafka").reference!.element,
    });
    expect(text).toMatch(/\n\nOther fields that take it: client\.private-key, client\.certificate\n$/);
  });

  // A parameter is an element of a list, as withSecrets() places it.
  test("tells where in a list of parameters a reference belongs", async () => {
    const text = await printed("explain", "jaas", "--env", "wide");
    const [, pasted = ""] =
      /\nPaste this into the resource, as an element of parameter:\n\n(\{[^]*\n\})\n/.exec(text) ?? [];
    const { fields, element } = explain(checkVaultEnvironment("wide", wide), "jaas").reference!;
    expect(`parameter.${(JSON.parse(pasted) as { name: string }).name}`).toBe(fields[0]);
    expect(JSON.parse(pasted)).toEqual({ name: expect.any(String) as string, _valueString: element });
  });

  test("of a tenant's secret tells its path, its namespace and its role, and to rotate it as the tenant's", async () => {
    const text = await printed("explain", "database-password", "--env", "tenants", "--tenant", "south", "--json");
    const [, south] = checkVaultEnvironment("tenants", tenants).tenants;
    expect(JSON.parse(text)).toEqual(explain(south!, "database-password"));
    for (const each of [
      "secret/south/database, key database-password",
      "Vault: role aidbox-south of auth/kubernetes (kubernetes)",
      "ServiceAccount southern/aidbox",
      "or at once, by `npm run rotate -- database-password --stdin --env tenants --tenant south`",
    ]) {
      expect(text).toContain(each);
    }
  });

  test("prints for machines what the library returns", async () => {
    const text = await printed("explain", "client-secret", "--env", "test", "--json");
    expect(JSON.parse(text)).toEqual(explain(checkVaultEnvironment("test", config), "client-secret"));
  });
});

describe("rights", () => {
  const rights = operatorRights(checkVaultEnvironment("test", config), "rotator", "aidbox-operators");

  test("prints YAML for kubectl: by default that of a rotator, for the default group", async () => {
    const documents = parseAllDocuments(await printed("rights", "--env", "test"));
    expect(documents.map((each) => each.toJS() as object)).toEqual(rights.kubernetes);
  });

  test("prints that of a viewer for another group", async () => {
    const text = await printed("rights", "--env", "test", "--role", "viewer", "--group", "on-call");
    const { kubernetes } = operatorRights(checkVaultEnvironment("test", config), "viewer", "on-call");
    expect(text.split("---\n").map((each) => parse(each) as object)).toEqual(kubernetes);
  });

  test("prints Vault's policy", async () => {
    expect(await printed("rights", "--env", "test", "--for", "store")).toBe(rights.store);
  });

  test("prints both for machines", async () => {
    expect(JSON.parse(await printed("rights", "--env", "test", "--json"))).toEqual(rights);
  });

  test("prints those on a tenant's Aidbox", async () => {
    const [north] = checkVaultEnvironment("tenants", tenants).tenants;
    const { kubernetes, store: vaultPolicy } = operatorRights(north!, "rotator", "aidbox-operators");
    const options = ["rights", "--env", "tenants", "--tenant", "north"];
    const [yaml, hcl] = await Promise.all([printed(...options), printed(...options, "--for", "store")]);
    expect(parseAllDocuments(yaml).map((each) => each.toJS() as object)).toEqual(kubernetes);
    expect(hcl).toBe(vaultPolicy);
    expect(hcl).toContain('path "secret/data/north/database" {');
    expect(hcl).not.toMatch(/aidbox\/client|south/);
  });

  test("prints the policy of the stack's own token, that of all tenants", async () => {
    const stack = operatorRights(checkVaultEnvironment("tenants", tenants), "stack", "aidbox-operators");
    const options = ["rights", "--env", "tenants", "--role", "stack", "--for", "store"];
    const [hcl, json] = await Promise.all([printed(...options), printed(...options, "--json")]);
    expect(hcl).toBe(stack.store);
    expect(hcl).toContain('path "auth/kubernetes/role/aidbox-south" {');
    expect(JSON.parse(json)).toEqual(stack);
  });

  test("prints none of the stack's for one tenant, and says why", async () => {
    const options = ["--env", "tenants", "--tenant", "north", "--role", "stack", "--for", "store"];
    expect(await refusal(2, ["rights", ...options])).toBe(
      "one stack serves all tenants, and its rights are one: leave --tenant out\n",
    );
  });

  test("prints none of the stack's in the cluster, and says why", async () => {
    const said = await Promise.all([
      refusal(2, ["rights", "--env", "test", "--role", "stack"]),
      refusal(2, ["rights", "--env", "test", "--role", "stack", "--for", "kubernetes", "--json"]),
    ]);
    for (const each of said) {
      expect(each).toBe(
        "the stack makes namespaces, cluster roles and CRDs: it needs cluster-admin. For its rights in Vault: --for store\n",
      );
    }
  });
});

describe("wrong arguments end with 2", () => {
  const noSource = (name: string): string =>
    "say where the new value comes from, by one of --stdin, --fd NUMBER, --generate LENGTH and --rollback VERSION: " +
    `as npm run rotate -- ${name} --generate 32 --env test\n`;
  const number = (option: string, text: string): string =>
    `error: option '${option}' argument '${text}' is invalid. write a whole number\n`;
  const unknown = (name: string): string =>
    `environment "test" has no secret "${name}": it has client-secret, neighbour, admin-password, db-password\n`;

  /** Commands with what they say, side by side. */
  async function expectRefusals(cases: readonly [args: readonly string[], said: string][]): Promise<void> {
    const said = await Promise.all(cases.map(async ([args]) => [args, await refusal(2, args)]));
    expect(said).toEqual(cases);
  }

  test("an option or an argument that a command does not know, or lacks", () =>
    expectRefusals([
      [["verify", "--unknown"], "error: unknown option '--unknown'\n"],
      [["status", "client-secret"], "error: too many arguments for 'status'. Expected 0 arguments but got 1.\n"],
      [["write"], "error: missing required argument 'secret'\n"],
      [["explain"], "error: missing required argument 'secret'\n"],
    ]));

  test("what is no number", () =>
    expectRefusals([
      [["rotate", "client-secret", "--fd", "three"], number("--fd <number>", "three")],
      [["rotate", "client-secret", "--generate", "1e3"], number("--generate <length>", "1e3")],
      [
        ["rotate", "client-secret", "--rollback", "1.5"],
        "error: option '--rollback <version>' argument '1.5' is invalid. write a version as `status` shows it\n",
      ],
      [["rotate", "client-secret", "--timeout", "60s"], number("--timeout <seconds>", "60s")],
    ]));

  test("what is none of the choices", () =>
    expectRefusals([
      [
        ["rotate", "client-secret", "--generate", "32", "--alphabet", "klingon"],
        "error: option '--alphabet <name>' argument 'klingon' is invalid. " +
          "Allowed choices are base64url, alphanumeric, hex, digits.\n",
      ],
      [
        ["rights", "--role", "admin"],
        "error: option '--role <role>' argument 'admin' is invalid. Allowed choices are viewer, rotator, writer, scheduler, auditor, stack.\n",
      ],
      [
        ["rights", "--for", "both"],
        "error: option '--for <system>' argument 'both' is invalid. Allowed choices are kubernetes, store.\n",
      ],
    ]));

  test("no source of the new value, more than one, or one that can be guessed", () =>
    expectRefusals([
      [["rotate", "client-secret", "--env", "test"], noSource("client-secret")],
      [["rotate", "client-secret", "--env", "test", "--stdin", "--generate", "32"], noSource("client-secret")],
      [["rotate", "client-secret", "--env", "test", "--fd", "0", "--rollback", "1"], noSource("client-secret")],
      [
        ["rotate", "client-secret", "--env", "test", "--generate", "3"],
        "a generated value cannot have length 3: write 12 to 524288\n",
      ],
    ]));

  test("a secret that the table has not, or a tenant that the environment has not", () =>
    expectRefusals([
      [
        ["explain", "client-secret", "--env", "test", "--tenant", "nobody"],
        'environment "test" has no tenant "nobody": it has no tenants: leave --tenant out\n',
      ],
      [
        ["rights", "--env", "tenants", "--tenant", "west"],
        'environment "tenants" has no tenant "west": it has north, south\n',
      ],
      [
        ["rotate", "no-such", "--env", "tenants", "--tenant", "north", "--generate", "32", "--json"],
        'environment "tenants" has no secret "no-such": it has database-password\n',
      ],
      [["explain", "no-such", "--env", "test"], unknown("no-such")],
      [["rotate", "no-such", "--env", "test", "--generate", "32"], `rotating no-such\n${unknown("no-such")}`],
      [["rotate", "no-such", "--env", "test", "--generate", "32", "--json"], unknown("no-such")],
    ]));

  test("a managed secret", async () => {
    const said = await refusal(2, ["rotate", "db-password", "--env", "test", "--generate", "32"]);
    expect(said).toMatch(/^rotating db-password\ndb-password is managed: Pulumi writes its value, /);
    expect(said).toMatch(/\nand run npm run up -- --env test\n$/);
  });

  test("a context that the kubeconfig has not, but for what asks no cluster", async () => {
    const told =
      'aidbox-secrets:kubeContext (line 4, column 3): "somewhere-else": the kubeconfig has no such context, but somewhere, other: ' +
      "write one of them, or set KUBECONFIG to the file that has it\n";
    const options = ["--env", "test", "--config", "kubeContext=somewhere-else"];
    const all = [["verify"], ["status"], ["rotate", "client-secret", "--generate", "32"]];
    for (const said of await Promise.all(all.map((args) => refusal(2, [...args, ...options])))) {
      expect(said).toContain(told);
    }
    await Promise.all([printed("explain", "neighbour", ...options), printed("rights", ...options)]);
  });
});

// The client's own code fails on it.
test("an empty kubeconfig is one without contexts", async () => {
  expect(await refusal(2, ["status", "--env", "test"], { KUBECONFIG: "/dev/null" })).toContain(
    "there is no kubeconfig, or it has no context",
  );
});

describe("a cluster that does not answer", () => {
  const answer = "the cluster of context somewhere does not answer: ";

  test("ends status and rotate with 4", async () => {
    const [status, rotate, machine] = await Promise.all([
      refusal(4, ["status", "--env", "test"]),
      refusal(4, ["rotate", "client-secret", "--env", "test", "--stdin"], {}, "new hunter2"),
      refusal(4, ["status", "--env", "test", "--json"]),
    ]);
    const told = new RegExp(`${answer}.*ECONNREFUSED 127\\.0\\.0\\.1:1\\n$`);
    expect(status).toMatch(new RegExp(`^looking at Vault and the pods\\n${told.source}`));
    expect(rotate).toMatch(new RegExp(`^rotating client-secret\\n${told.source}`));
    expect(machine).toMatch(new RegExp(`^${told.source}`));
  });

  test("is a broken link for verify", async () => {
    const { code, stdout, stderr } = await run(["verify", "--env", "test", "--json"]);
    expect([code, stderr]).toEqual([5, ""]);
    const { ok, links } = JSON.parse(stdout) as Verification;
    expect(ok).toBe(false);
    expect(links[0]).toEqual({
      name: "cluster",
      checks: "the cluster of context somewhere answers",
      state: "broken",
      cause: expect.stringMatching(new RegExp(`^${answer}.*ECONNREFUSED`)) as string,
      fix: "kubectl --context somewhere cluster-info",
    });
    expect(new Set(links.slice(1).map(({ state }) => state))).toEqual(new Set(["not checked"]));
  });
});

describe("on an environment that answers", () => {
  let site: Site;
  let options: readonly string[];
  beforeEach(async () => {
    site = await Site.start();
    options = ["--env", "test", "--config", `vault.addressFromHere=${site.vault.address}`];
  });
  afterEach(() => site.stop());

  const onSite = (args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string): Promise<Ran> =>
    run([...args, ...options], { KUBECONFIG: site.cluster.kubeconfig, ...env }, input);
  const refusedOnSite = async (code: number, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> => {
    const ran = await onSite(args, env);
    expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code, stdout: "" });
    return ran.stderr;
  };
  const value = (): string => site.vault.data("aidbox/client")["client-secret"]!;
  /** A text in which no two runs are alike, made so. */
  const steady = (text: string): string =>
    text
      .replaceAll(site.cluster.address, "http://cluster")
      .replaceAll(/\b\d+\.\d s\b/g, "0.1 s")
      .replace(/oldest publication \d+ s/, "oldest publication 1 s")
      .replace(/within \d+ s and/, "within 25 s and");

  test("verify shows each link, and ends with 0", async () => {
    const { code, stdout, stderr } = await onSite(["verify"]);
    expect([code, stderr]).toEqual([0, "checking the chain\n"]);
    expect(steady(stdout)).toMatchSnapshot();
  });

  test("verify shows what is broken, what mends it and what was not checked, and ends with 5", async () => {
    site.vault.entries.delete("sys/policies/acl/aidbox");
    const { code, stdout } = await onSite(["verify"], { VAULT_TOKEN: rootToken });
    expect(code).toBe(5);
    expect(stdout).toContain(
      "✘ policy: policy aidbox reads the table's paths and no others\n" +
        "    policy aidbox is gone\n" +
        "    fix: npm run up -- --refresh --env test\n",
    );
    expect(stdout).toContain("    not checked: behind policy\n");
    expect(stdout).toMatch(/\n\nEnvironment "test": 19 of 23 links in order, 1 broken, 3 not checked\n$/);
  });

  test("verify shows which rights lack, and ends with 6", async () => {
    site.vault.allow("hvs.nobody", "");
    const { code, stdout } = await onSite(["verify"], { VAULT_TOKEN: "hvs.nobody" });
    expect(code).toBe(6);
    expect(stdout).toContain(
      "? policy: policy aidbox reads the table's paths and no others\n" +
        "    you lack a right: Vault refuses GET sys/policies/acl/aidbox with this token\n",
    );
    expect(stdout).toMatch(
      /\n\nEnvironment "test": 16 of 23 links in order, 7 not permitted\n`npm run rights` prints all that the commands need\.\n$/,
    );
  });

  test("verify says why Vault cannot be reached", async () => {
    await site.vault.stop();
    const { code, stdout } = await onSite(["verify", "--json"]);
    site.vault.stop = () => Promise.resolve();
    expect(code).toBe(5);
    const { links } = JSON.parse(stdout) as Verification;
    const address = options.at(-1)!.replace("vault.addressFromHere=", "");
    expect(links.filter(({ state }) => state === "broken")).toEqual([
      {
        name: "vault",
        checks: "Vault is reachable, initialised and unsealed",
        state: "broken",
        cause: `Vault does not answer at ${address}: connect ECONNREFUSED ${address.replace("http://", "")}`,
        fix: `curl ${address}/v1/sys/health`,
      },
    ]);
  });

  test("status shows a table, and ends with 0", async () => {
    const hours = { client: 49, admin: 47, db: 1 };
    for (const [name, ago] of Object.entries(hours)) {
      site.vault.version(`aidbox/${name}`).created_time = new Date(Date.now() - ago * 3_600_000).toISOString();
    }
    const { code, stdout, stderr } = await onSite(["status"]);
    expect([code, stderr]).toEqual([0, "looking at Vault and the pods\n"]);
    expect(steady(stdout)).toMatchSnapshot();
  });

  test("status shows what is stale, and ends with 5", async () => {
    site.cluster.files.get("aidbox-b")!.set(clientSecret, "somebody's hunter2");
    const [shown, json] = await Promise.all([onSite(["status"]), onSite(["status", "--json"])]);
    expect(shown.code).toBe(5);
    expect(shown.stdout).toContain("aidbox-b: none that Vault knows (stale)");
    const warning = "client-secret: pod aidbox-b has no version that Vault still knows, Vault has 1";
    expect(shown.stdout).toMatch(new RegExp(`\\n! ${warning}\\n$`));
    expect([json.code, json.stderr]).toEqual([5, ""]);
    expect((JSON.parse(json.stdout) as Status).warnings).toEqual([warning]);
  });

  test("status of a secret without a live version, which no pod has, ends with 5", async () => {
    site.vault.remove("aidbox/admin");
    for (const files of site.cluster.files.values()) files.delete("/run/vault-secrets/admin-password");
    const { code, stdout } = await onSite(["status"]);
    expect(code).toBe(5);
    expect(stdout).toMatch(
      /│ admin-password │ secret\/aidbox\/admin +│ none +│ +│ aidbox-a: none that Vault knows \(stale\) │\n/,
    );
  });

  test("rotate generates a value, tells each step on standard error, and how to go back", async () => {
    const { code, stdout, stderr } = await onSite(["rotate", "client-secret", "--generate", "24", "--alphabet", "hex"]);
    expect(code).toBe(0);
    // A step is told twice: see "tells each step once" of the library.
    expect([...new Set(stderr.split("\n"))].join("\n")).toBe(
      "rotating client-secret\n" +
        "client-secret is at version 1: taking the new value\n" +
        "version 2 is written: 0 of 2 pods serve it\n" +
        "version 2 is written: 1 of 2 pods serve it\n" +
        "version 2 is written: 2 of 2 pods serve it\n",
    );
    expect(steady(stdout)).toBe(
      "✔ client-secret: secret/aidbox/client is at version 2, was 1\n" +
        "    pod aidbox-a serves it after 0.1 s\n" +
        "    pod aidbox-b serves it after 0.1 s\n" +
        "    to go back: npm run rotate -- client-secret --rollback 1 --env test\n",
    );
    expect(value()).toMatch(/^[0-9a-f]{24}$/);
    expect(stdout + stderr).not.toContain(value());
  });

  test("rotate takes a value from standard input, and goes back for machines", async () => {
    const taken = await onSite(["rotate", "client-secret", "--stdin"], {}, "piped hunter2\n");
    expect(taken.code).toBe(0);
    expect(value()).toBe("piped hunter2");
    const back = await onSite(["rotate", "client-secret", "--rollback", "1", "--json"]);
    expect([back.code, back.stderr]).toEqual([0, ""]);
    expect(JSON.parse(back.stdout) as Rotation).toMatchObject({
      secret: "client-secret",
      previousVersion: 2,
      version: 3,
    });
    expect(value()).toBe("first hunter2");
  });

  test("rotate takes a value from a file descriptor, and says of one that is not open why", async () => {
    const args = ["rotate", "client-secret", "--fd", "0", ...options];
    const env = { KUBECONFIG: site.cluster.kubeconfig, VAULT_TOKEN: rootToken };
    const taken = await checkout.spawn(args, env, "piped hunter2");
    expect(taken.code).toBe(0);
    expectNoSecret(taken.stdout, taken.stderr);
    expect(value()).toBe("piped hunter2");
    const said = await refusedOnSite(2, ["rotate", "client-secret", "--fd", "200"]);
    expect(said).toMatch(/\nfile descriptor 200 cannot be read \(EBADF: bad file descriptor, \w+\): /);
    expect(said).toMatch(/: npm and npx pass none on beyond 2, so run the executable itself, or use --stdin\n$/);
    expect(value()).toBe("piped hunter2");
  });

  test("rotate of an empty standard input changes nothing, and ends with 2", async () => {
    const said = await refusedOnSite(2, ["rotate", "client-secret", "--stdin"]);
    expect(said).toMatch(/\nthe new value is empty: give one, or let --generate make it\n$/);
    expect(value()).toBe("first hunter2");
  });

  test("rotate names who took an environment variable, and is rolled by itself", async () => {
    const { code, stdout } = await onSite(["rotate", "admin-password", "--generate", "32"]);
    expect(code).toBe(0);
    expect(steady(stdout)).toMatchSnapshot();
  });

  describe("rotate --due", () => {
    const aged = [
      { name: "client-secret", path: "aidbox/client", source: "seeded", maxAge: "90d" },
      { name: "license", path: "aidbox/license", environment: "BOX_LICENSE", maxAge: "90d" },
    ];
    const table = (...rows: readonly object[]): string[] => ["--config", `secrets=${JSON.stringify(rows)}`];

    test("ends with 0 where all that was due is rotated, and where nothing is", async () => {
      const { code, stdout } = await onSite(["rotate", "--due", ...table(aged[0]!)]);
      expect(code).toBe(0);
      expect(steady(stdout)).toMatch(/^✔ client-secret: secret\/aidbox\/client is at version 2, was 1\n/);
      expect(value()).toMatch(/^[\w-]{32}$/);
      const again = await onSite(["rotate", "--due", ...table(aged[0]!)]);
      expect([again.code, again.stdout]).toEqual([0, "Nothing is due\n"]);
    });

    test("ends with 3 where an operator is needed, whom it tells what to run, also for machines", async () => {
      site.vault.put("aidbox/license", { license: "another's hunter2" }, new Date(Date.now() - 100 * 86_400_000));
      const { code, stdout } = await onSite(["rotate", "--due", ...table(aged[1]!)]);
      expect(code).toBe(3);
      expect(stdout).toBe(
        "! license: is 100 d old, may grow 90 d old, and is not rotated unasked: others make its value\n" +
          "    npm run rotate -- license --stdin --env test\n",
      );
      const json = await onSite(["rotate", "--due", "--json", ...table(aged[1]!)]);
      expect([json.code, json.stderr]).toEqual([3, ""]);
      expect(JSON.parse(json.stdout)).toMatchObject({ rotated: [], waiting: [{ secret: "license" }], notTried: [] });
    });

    test("ends with 5 where a pod does not serve what it has rotated", async () => {
      site.busy.set("aidbox-b", () => undefined);
      const due = await onSite(["rotate", "--due", "--timeout", "1", "--json", ...table(aged[0]!)]);
      expect(due.code).toBe(5);
      expect(JSON.parse(due.stdout)).toMatchObject({ rotated: [], failure: { secret: "client-secret" } });
      expect(due.stderr).toContain("Version 2 of client-secret is in Vault, but after 1 s not in aidbox-b.\n");
    });

    test("takes neither a name nor a value, and is asked for where there is no name", async () => {
      const said = await refusedOnSite(2, ["rotate", "client-secret", "--due"]);
      expect(said).toContain("leave out the name, --yes, and what says a value");
      expect(await refusedOnSite(2, ["rotate", "--due", "--generate", "32"])).toBe(said);
      expect(await refusedOnSite(2, ["rotate", "--generate", "32"])).toBe("name the secret to rotate, or pass --due\n");
    });
  });

  test("rotate and status say when a roll that waits is", async () => {
    const rolls = ["--config", 'rolls={"batch":"1h"}'];
    site.rolls = false;
    const said = await onSite(["rotate", "admin-password", "--generate", "32", ...rolls]);
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(
      /\n {4}Deployment aidbox took it as environment, and is rolled by itself within 30 s of \d{4}-[\d:.T-]+Z; with --now at once\n/,
    );
    const since = Math.floor(Date.now() / 1000) - 600;
    const annotations = { "aidbox-secrets/roll-pending": String(since) };
    site.cluster.change("Deployment", "aidbox", { metadata: { annotations } });
    const due = new Date((since + 3600) * 1000).toISOString();
    expect((await onSite(["status", ...rolls])).stdout).toContain(
      `A change of 10 min ago waits to be rolled until ${due}.`,
    );
  });

  test("rotate names who keeps an old environment variable, and how to roll it", async () => {
    site.rolls = false;
    site.cluster.change("Deployment", "aidbox", { metadata: { annotations: null } }); // the Republisher has noted nothing
    const { code, stdout } = await onSite(["rotate", "admin-password", "--generate", "32"]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "    Deployment aidbox took admin-password as environment, and has the old value until it is rolled:\n" +
        "      kubectl --context somewhere -n health rollout restart deployment aidbox\n",
    );
  });

  test("rotate that is not seen to arrive ends with 5, and says how to go back", async () => {
    site.cluster.intercept = ({ resource }) =>
      resource === "daemonsets" ? { status: 500, body: { message: "not today" } } : undefined;
    const said = await refusedOnSite(5, ["rotate", "admin-password", "--generate", "32", "--json"]);
    expect(said).toBe(
      "Version 2 of admin-password is in Vault, but it was not seen to arrive: not today\n" +
        "To go back: npm run rotate -- admin-password --rollback 1 --env test\n",
    );
  });

  test("a roll-back to version 0 ends with 2", async () => {
    const said = await refusedOnSite(2, ["rotate", "client-secret", "--rollback", "0", "--json"]);
    expect(said).toBe("there is no version 0: versions begin with 1\n");
    expect(value()).toBe("first hunter2");
  });

  test("an empty VAULT_TOKEN is none", async () => {
    const said = await refusedOnSite(4, ["status", "--json"], { VAULT_TOKEN: "" });
    expect(said).toMatch(/^Missing permission: a Vault token: set VAULT_TOKEN\./);
  });

  test("rotate that a pod does not serve in time ends with 5", async () => {
    site.busy.set("aidbox-b", () => undefined);
    const said = await refusedOnSite(5, ["rotate", "client-secret", "--generate", "32", "--timeout", "2", "--json"]);
    expect(said).toBe(
      "Version 2 of client-secret is in Vault, but after 2 s not in aidbox-b.\n" +
        "To see why: npm run verify -- --env test\n" +
        "To go back: npm run rotate -- client-secret --rollback 1 --env test\n",
    );
  });

  test("write to a KV mount of version 1 ends with 1, and says so without a stack trace", async () => {
    site.vault.entries.set("sys/internal/ui/mounts/secret", { path: "secret/", type: "kv", options: { version: "1" } });
    site.vault.remove("aidbox/client");
    const said = await refusedOnSite(1, ["write", "client-secret", "--json"]);
    expect(said).toMatch(/^secret is of KV version 1, [^\n]*vault kv enable-versioning secret\/\n$/);
  });

  test("rotate that somebody else was faster than ends with 1", async () => {
    site.vault.intercept = ({ method }) => {
      if (method === "PATCH") site.vault.put("aidbox/client", { "client-secret": "the other's hunter2" });
      return undefined;
    };
    const said = await refusedOnSite(1, ["rotate", "client-secret", "--generate", "32", "--json"]);
    expect(said).toBe(
      "aidbox/client is no longer at version 1: somebody else wrote it, and this write left it alone\n",
    );
  });

  test("without a right, rotate and status end with 4", async () => {
    const token = site.restrictTo("viewer");
    site.revoke("list", "pods");
    const [rotate, status] = await Promise.all([
      refusedOnSite(4, ["rotate", "client-secret", "--generate", "32", "--json"], { VAULT_TOKEN: token }),
      refusedOnSite(4, ["status", "--json"], { VAULT_TOKEN: token }),
    ]);
    const end = " See `npm run rights` for all that the commands need.\n";
    expect(rotate).toBe(
      'Missing permission: "list" on pods in namespace health; "patch" on pods/status in namespace health; ' +
        `"patch" on secret/data/aidbox/client in Vault.${end}`,
    );
    expect(status).toBe(
      'Missing permission: pods is forbidden: User "operator" cannot list resource "pods" in API group "" in the ' +
        `namespace "health".${end}`,
    );
  });

  test.each<[what: string, args: readonly string[], change: () => unknown, said: string]>([
    [
      "a login that Vault refuses",
      ["status"],
      () => site.vault.entries.delete("auth/kubernetes/role/aidbox"),
      'Vault answered POST auth/kubernetes/login with 400: invalid role name "aidbox"',
    ],
    [
      "a Vault that fails while it is written to",
      ["rotate", "client-secret", "--generate", "32"],
      () =>
        (site.vault.intercept = ({ method }) =>
          method === "PATCH" ? { status: 500, body: { errors: ["internal error"] } } : undefined),
      "Vault answered PATCH secret/data/aidbox/client with 500: internal error",
    ],
    [
      "a cluster that fails while it is asked",
      ["status"],
      () =>
        (site.cluster.intercept = ({ resource }) =>
          resource === "pods" ? { status: 500, body: { message: "etcdserver: request timed out" } } : undefined),
      "etcdserver: request timed out",
    ],
    [
      "a cluster that fails without a word",
      ["status"],
      () => (site.cluster.intercept = ({ resource }) => (resource === "pods" ? { status: 500, body: {} } : undefined)),
      "HTTP-Code: 500",
    ],
  ])("%s ends with 1, and is told in one line", async (_, args, change, said) => {
    change();
    expect(await refusedOnSite(1, [...args, "--json"])).toBe(`${said}\n`);
  });

  describe("a static role of the database engine", () => {
    beforeEach(async () => {
      await site.stop();
      site = await Site.start({ secrets: engine.secrets });
      options = ["--env", "engine", "--config", `vault.addressFromHere=${site.vault.address}`];
    });
    const role = () => site.vault.staticRole("box");

    test("is rotated without an option, and there is no way back", async () => {
      const { code, stdout, stderr } = await onSite(["rotate", "box-password"]);
      expect(code).toBe(0);
      expect(stderr).toBe(
        "rotating box-password\n" +
          "the password is changed: 0 of 2 pods serve it\n" +
          "the password is changed: 1 of 2 pods serve it\n" +
          "the password is changed: 2 of 2 pods serve it\n",
      );
      expect(steady(stdout)).toBe(
        "✔ box-password: database/static-creds/box has a new password\n" +
          "    pod aidbox-a serves it after 0.1 s\n" +
          "    pod aidbox-b serves it after 0.1 s\n" +
          "    Vault keeps no earlier password to go back to\n",
      );
      expect(role().password).not.toBe(values["box-password"]);
      expect(stdout + stderr).not.toContain(role().password);
    });

    test("is rotated for machines without versions", async () => {
      const { code, stdout, stderr } = await onSite(["rotate", "box-password", "--json"]);
      expect([code, stderr]).toEqual([0, ""]);
      const seconds = expect.any(Number) as number;
      expect(JSON.parse(stdout)).toEqual({
        secret: "box-password",
        path: "database/static-creds/box",
        pods: [
          { pod: "aidbox-a", seconds },
          { pod: "aidbox-b", seconds },
        ],
      });
    });

    test.each([[["--generate", "32"]], [["--stdin"]], [["--fd", "0"]], [["--rollback", "1"]]])(
      "takes no value from elsewhere: %j ends with 2",
      async (source) => {
        expect(await refusedOnSite(2, ["rotate", "box-password", ...source, "--json"])).toBe(
          "box-password is of source database: Vault makes its value and keeps no earlier one. Have it make a new one with\n" +
            "  npm run rotate -- box-password --env engine\n",
        );
        expect(role().password).toBe(values["box-password"]);
      },
    );

    test("that a pod does not serve in time ends rotate with 5", async () => {
      site.busy.set("aidbox-b", () => undefined);
      expect(await refusedOnSite(5, ["rotate", "box-password", "--timeout", "2", "--json"])).toBe(
        "Vault changed the password of static role box, but after 2 s not in aidbox-b.\n" +
          "To see why: npm run verify -- --env engine\n",
      );
    });

    test("is shown by status as current", async () => {
      role().rotatedAt = new Date(Date.now() - 47 * 3_600_000);
      const { code, stdout } = await onSite(["status"]);
      expect(code).toBe(0);
      expect(steady(stdout)).toMatchSnapshot();
    });

    test("is shown by status as stale where a pod has another password, which ends with 5", async () => {
      site.vault.rotateRole("box");
      site.publish("aidbox-a");
      const { code, stdout } = await onSite(["status"]);
      expect(code).toBe(5);
      expect(stdout).toMatch(/│ current │ [^│]+ ago +│ aidbox-a: current +│\n/);
      expect(stdout).toContain("│ aidbox-b: none that Vault knows (stale) │\n");
      expect(stdout).toMatch(/\n! box-password: pod aidbox-b has another value than Vault\n$/);
    });

    test("that never was rotated is shown by status as none, which ends with 5", async () => {
      role().rotatedAt = undefined;
      const { code, stdout } = await onSite(["status"]);
      expect(code).toBe(5);
      expect(stdout).toMatch(/│ box-password │ database\/static-creds\/box │ none +│ +│ aidbox-a: /);
    });
  });

  test("status prints metrics for Prometheus, and ends with 0 whatever they say", async () => {
    site.cluster.files.get("aidbox-a")!.set("/run/vault-secrets/admin-password", "another hunter2");
    const { code, stdout, stderr } = await onSite(["status", "--metrics", "--config", "secrets[2].maxAge=90d"]);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.split("\n").filter((line) => line.includes('secret="admin-password"'));
    expect(lines).toEqual([
      `aidbox_secret_rotated_timestamp_seconds{environment="test",secret="admin-password"} ${Date.parse("2026-01-02T03:04:05Z") / 1000}`,
      `aidbox_secret_max_age_seconds{environment="test",secret="admin-password"} ${90 * 86_400}`,
      'aidbox_secret_stale_pods{environment="test",secret="admin-password"} 1',
    ]);
    expect(stdout).toMatch(/^aidbox_secrets_looked_at_timestamp_seconds\{environment="test"\} \d+$/m);
  });

  describe("access", () => {
    beforeEach(() => {
      site.vault.entries.set("sys/auth", { "kubernetes/": { type: "kubernetes" } });
      site.vault.entries.set("sys/policies/acl/extra\u001b[31m", {
        policy: 'path "secret/data/aidbox/admin" { capabilities = ["read"] }',
      });
    });

    test("shows who can read each secret; 6 tells that not all could be read", async () => {
      const { code, stdout, stderr } = await onSite(["access"]);
      expect([code, stderr]).toEqual([6, "looking at Vault and the cluster\n"]);
      expect(
        stdout.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z: who/, "NOW: who").replaceAll(/\d+ d old/g, "1 d old"),
      ).toMatchSnapshot();
    });

    test("writes one page, for whoever runs it alone to read, in which names are no markup", async () => {
      site.vault.entries.set("sys/policies/acl/<b>", { policy: 'path "secret/*" { capabilities = ["read"] }' });
      const folder = mkdtempSync(join(tmpdir(), "access-"));
      const html = join(folder, "evidence/access.html");
      const { code, stdout } = await onSite(["access", "--html", html, "--json"]);
      expect({ code, printed: JSON.parse(stdout) as unknown }).toEqual({ code: 6, printed: { page: html } });
      const page = readFileSync(html, "utf8");
      rmSync(folder, { recursive: true });
      expect(page).toContain("whoever has a token with the policy &#60;b&#62;");
      expect(page).not.toContain("\u001b");
      expect(page).toContain("HIPAA 164.312(a)(1)");
      expectNoSecret(page);
    });
  });

  test("no token ends with 4, whatever becomes of what was asked of the cluster meanwhile", async () => {
    site.cluster.intercept = ({ resource }) =>
      resource === "selfsubjectaccessreviews" ? { status: 500, body: {} } : undefined;
    await refusedOnSite(4, ["rotate", "client-secret", "--generate", "32"], { VAULT_TOKEN: undefined });
  });
});
