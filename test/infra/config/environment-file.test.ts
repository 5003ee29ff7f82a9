import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWorkspace } from "../../../infra/cli/workspace";
import { ConfigError } from "../../../infra/config/config-error";
import { type EnvironmentFile, type Override, readEnvironment } from "../../../infra/config/environment-file";

const dev = `# Pulumi reads this file.
config:
  kubernetes:context: other
  aidbox-secrets:development: true
  # The one context that may be touched.
  aidbox-secrets:kubeContext: kind-aidbox # by kind
  aidbox-secrets:secrets:
    - name: client-secret
      path: aidbox/client
      source: managed
  aidbox-secrets:values:
    client-secret:
      secure: AAABAK2x
  aidbox-secrets:vault:
    mode: dev
  aidbox-secrets:aidbox:
    image: healthsamurai/aidboxone:2605
    resources: { memoryRequest: 512Mi, memoryLimit: 4Gi } # small
`;

let folder: string;
let chartsDir: string | undefined;
beforeEach(() => {
  chartsDir = process.env.CHARTS_DIR;
  delete process.env.CHARTS_DIR;
  folder = mkdtempSync(join(tmpdir(), "environment-"));
  writeFileSync(join(folder, "Pulumi.dev.yaml"), dev);
});
afterEach(() => {
  if (chartsDir === undefined) delete process.env.CHARTS_DIR;
  else process.env.CHARTS_DIR = chartsDir;
  rmSync(folder, { recursive: true });
});

function read(...overrides: Override[]): EnvironmentFile {
  return readEnvironment(folder, "dev", overrides);
}

function errorOf(name: string, ...overrides: Override[]): ConfigError {
  try {
    readEnvironment(folder, name, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the config was taken for a valid one");
}

function messageOf(name: string, ...problems: string[]): string {
  return [
    `The config of environment "${name}" (Pulumi.${name}.yaml) is not valid:`,
    ...problems.map((problem) => `  ${problem}`),
  ].join("\n");
}

describe("without overrides", () => {
  it("the environment is what the file says, without what holds secrets", () => {
    const { environment } = read();
    expect(environment).toMatchObject({ name: "dev", development: true, kubeContext: "kind-aidbox" });
    expect(environment).not.toHaveProperty("values");
  });

  it("the document is the file", () => {
    expect(String(read().document)).toBe(dev);
  });
});

it("the charts are those of CHARTS_DIR", () => {
  process.env.CHARTS_DIR = folder;
  for (const name of ["secrets-store-csi-driver-1.6.0.tgz", "vault-0.34.1.tgz"]) writeFileSync(join(folder, name), "");
  expect(read().environment.charts).toEqual({
    csiDriver: { path: join(folder, "secrets-store-csi-driver-1.6.0.tgz") },
    store: { path: join(folder, "vault-0.34.1.tgz") },
  });
});

describe("an override", () => {
  it("of a key replaces its value", () => {
    expect(read({ key: "kubeContext", value: "kind-other" }).environment.kubeContext).toBe("kind-other");
  });

  it("of a key that the file does not say adds it", () => {
    expect(read({ key: "rotationBound", value: "5m" }).environment.rotationBoundSeconds).toBe(300);
  });

  it("of a nested key leaves the keys beside it", () => {
    const { environment } = read({ key: "aidbox.resources.memoryLimit", value: "5Gi" });
    expect(environment.aidbox).toMatchObject({
      image: "healthsamurai/aidboxone:2605",
      resources: { memoryRequest: "512Mi", memoryLimit: "5Gi" },
    });
  });

  it("of a nested key makes the objects that lead to it", () => {
    const { environment } = read(
      { key: "vault.kvMount.path", value: "teams/kv" },
      { key: "aidbox.environment.BOX_WEB_BASE_URL", value: "https://aidbox.example.com" },
    );
    expect(environment.vault?.kvMount.path).toBe("teams/kv");
    expect(environment.aidbox.environment).toEqual({ BOX_WEB_BASE_URL: "https://aidbox.example.com" });
  });

  it("is YAML: a number, a truth value or an object", () => {
    const { environment } = read(
      { key: "aidbox.servicePort", value: "2" },
      { key: "csiDriver.install", value: "false" },
      { key: "namespaces", value: "{ aidbox: box, vault: store }" },
    );
    expect(environment).toMatchObject({
      aidbox: { servicePort: 2 },
      csiDriver: { install: false },
      namespaces: { aidbox: "box", vault: "store" },
    });
  });

  it("null takes a key away, also one that is not there or lies in an object", () => {
    const { environment, document } = read(
      { key: "aidbox.resources", value: "null" },
      { key: "database", value: "null" },
      { key: "rotationBound", value: "null" },
    );
    expect(environment.aidbox.resources.memoryRequest).toBe("2Gi"); // the default
    expect(String(document)).not.toContain("512Mi");
    expect(errorOf("dev", { key: "kubeContext", value: "null" }).message).toContain("kubeContext: is missing");
  });

  it("without a value, as of a variable that is not set, takes nothing away", () => {
    expect(errorOf("dev", { key: "rotationBound", value: "" }).message).toContain("aidbox-secrets:rotationBound: null");
  });

  it("gives way to a later one of the same key", () => {
    const { environment } = read({ key: "aidbox.servicePort", value: "2" }, { key: "aidbox.servicePort", value: "3" });
    expect(environment.aidbox.servicePort).toBe(3);
  });

  it("sets a key below one that an earlier override set whole", () => {
    const { environment } = read(
      { key: "aidbox", value: "{ image: healthsamurai/aidboxone:2605 }" },
      { key: "aidbox.servicePort", value: "3" },
    );
    expect(environment.aidbox).toMatchObject({ image: "healthsamurai/aidboxone:2605", servicePort: 3 });
  });

  it("is checked as the file is", () => {
    const error = errorOf("dev", { key: "aidbox.replicas", value: "two" }, { key: "replicas", value: "2" });
    expect(error.message).toBe(
      messageOf(
        "dev",
        'aidbox-secrets:aidbox.replicas: "two": write a whole number',
        "aidbox-secrets:replicas: is not a key that this stack knows: look it up in docs/config.md, or remove it",
      ),
    );
  });

  it("shows in the document, whose comments and other keys stay", () => {
    const { document } = read(
      { key: "kubeContext", value: "kind-other" },
      { key: "aidbox.resources.memoryLimit", value: "5Gi" },
    );
    expect(String(document)).toBe(dev.replace("kind-aidbox", "kind-other").replace("4Gi", "5Gi"));
  });

  it("is not written to the file, nor is anything else", () => {
    read({ key: "kubeContext", value: "kind-other" }, { key: "aidbox.servicePort", value: "2" });
    errorOf("dev", { key: "aidbox.replicas", value: "two" });
    expect(readdirSync(folder)).toEqual(["Pulumi.dev.yaml"]);
    expect(readFileSync(join(folder, "Pulumi.dev.yaml"), "utf8")).toBe(dev);
  });

  it("of a key that holds secrets is refused, and its value not shown", () => {
    const refused = "holds secrets, and other processes can read arguments: use `pulumi config set --secret`";
    const error = errorOf(
      "dev",
      { key: "values", value: "{ client-secret: s3cret }" },
      { key: "aidbox.servicePort", value: "2" },
      { key: "values.client-secret", value: "s3cret" },
      { key: "vaultToken", value: "hvs.s3cret" },
    );
    expect(error.message).toBe(
      messageOf(
        "dev",
        `aidbox-secrets:values: ${refused}`,
        `aidbox-secrets:values.client-secret: ${refused}`,
        `aidbox-secrets:vaultToken: ${refused}`,
      ),
    );
  });
});

describe("an error says where", () => {
  const file = (...changed: [string, string][]): void => {
    const text = changed.reduce((all, [from, to]) => all.replace(from, to), dev);
    writeFileSync(join(folder, "Pulumi.dev.yaml"), text);
  };

  it("the key stands, by line and column", () => {
    file(["path: aidbox/client", "path: data/aidbox"], ["mode: dev", "mode: dev\n    tokenTtl: 1d"]);
    expect(errorOf("dev").message).toBe(
      messageOf(
        "dev",
        'aidbox-secrets:vault.tokenTtl (line 16, column 5): "1d": write the life of a login as a whole number with its unit: 90s, 5m or 1h',
        'aidbox-secrets:secrets[0].path (line 9, column 7): "data/aidbox": leave out data/ and metadata/: they are added',
      ),
    );
  });

  it("the object stands that lacks a key", () => {
    file(["      path: aidbox/client\n", ""]);
    expect(errorOf("dev").message).toContain(
      "aidbox-secrets:secrets[0].path (line 8, column 7): is missing: write the path in the KV mount",
    );
  });

  it("a label's key stands, whose name has dots", () => {
    file(["resources:", "podLabels: { app.kubernetes.io/name: x }\n    resources:"]);
    expect(errorOf("dev").message).toContain(
      "aidbox-secrets:aidbox.podLabels.app.kubernetes.io/name (line 18, column 18): ",
    );
  });

  it("nothing of what this run has set", () => {
    expect(errorOf("dev", { key: "aidbox.servicePort", value: "x" }).message).toBe(
      messageOf("dev", 'aidbox-secrets:aidbox.servicePort: "x": write a whole number'),
    );
  });
});

it("an override takes the path that an error names", () => {
  const [secret] = read({ key: "secrets[0].path", value: "aidbox/other" }).environment.table.secrets;
  expect(secret!.path).toBe("aidbox/other");
  expect(errorOf("dev", { key: "secrets[0].path", value: "data/x" }).problems).toEqual([
    { key: "secrets[0].path", message: '"data/x": leave out data/ and metadata/: they are added' },
  ]);
});

describe("a file", () => {
  const write = (text: string): void => {
    writeFileSync(join(folder, "Pulumi.dev.yaml"), text);
  };
  const path = (): string => join(folder, "Pulumi.dev.yaml");

  it("may have anchors and merge keys", () => {
    write(
      dev
        .replace("config:", "common: &common { memoryRequest: 1Gi, memoryLimit: 1Gi }\nconfig:")
        .replace("memoryRequest: 512Mi", "<<: *common"),
    );
    expect(read().environment.aidbox.resources).toMatchObject({ memoryRequest: "1Gi", memoryLimit: "4Gi" });
  });

  it.each([
    {
      what: "an alias of no anchor",
      text: dev.replace("kind-aidbox", "*context"),
      problem: "line 6, column 31: *context: no anchor &context stands before it",
    },
    {
      what: "an alias within its anchor",
      text: dev.replace("mode: dev", "mode: dev\n    values: *v").replace("secrets:vault:", "secrets:vault: &v"),
      problem: "line 16, column 13: *v stands within &v: take it out",
    },
    {
      what: "a merge of text",
      text: dev.replace("mode: dev", "<<: dev"),
      problem: "line 15, column 5: << merges an object, and this is none: write the alias of one, as *common",
    },
    {
      what: "a merge of a list with a number",
      text: dev.replace("mode: dev", "<<: [{ mode: dev }, 5]"),
      problem: "line 15, column 5: << merges an object, and this is none",
    },
    {
      what: "an unknown tag",
      text: dev.replace("kind-aidbox", "!env CONTEXT"),
      problem: "line 6, column 31: !env is a tag that nobody knows: leave it out, or put the text in quotes",
    },
    {
      what: "a key twice",
      text: `${dev}  kubernetes:context: other\n`,
      problem: "line 19, column 3: the key stands there twice: remove one of them",
    },
    {
      what: "a second document",
      text: `${dev}---\nconfig: {}\n`,
      problem: "line 19, column 1: a second document begins: write one, without ---",
    },
    {
      what: "a template",
      text: dev.replace("kind-aidbox", "{{ .Values.context }}"),
      problem: "line 6, column 32: a list or an object stands as a key: put text with {{ }} or [ ] in quotes",
    },
    {
      what: "a tab",
      text: dev.replace("    mode", "\tmode"),
      problem: "line 15, column 1: begins with a tab: indent with spaces",
    },
    {
      what: "a line in another column",
      text: dev.replace("  aidbox-secrets:vault", " aidbox-secrets:vault"),
      problem: "line 14, column 1: begins in another column than the lines that it belongs to: indent it as they are",
    },
    {
      what: "no space behind a colon",
      text: dev.replace("kubeContext: ", "kubeContext:"),
      problem: "line 6, column 3: neither a key nor a value: write a key, a colon and a space",
    },
    {
      what: "two colons in one line",
      text: dev.replace("kind-aidbox", "kind: aidbox"),
      problem: "line 6, column 31: a second ': ' in one value: put the text in quotes, or begin a new line",
    },
    {
      what: "a bracket that stays open",
      text: dev.replace("4Gi }", "4Gi"),
      problem: "line 19, column 1: the { or [ before it is not closed: close it",
    },
    {
      what: "a bracket too many",
      text: dev.replace("4Gi }", "4Gi } }"),
      problem: "line 18, column 59: closes a bracket that is not open: remove it",
    },
    {
      what: "no comma in brackets",
      text: dev.replace("512Mi,", "512Mi"),
      problem:
        "line 18, column 33: a key or a list begins within { } or [ ]: write a comma before it, or close the bracket",
    },
    {
      what: "a quote that stays open",
      text: dev.replace("kind-aidbox", '"kind-aidbox'),
      problem: "line 19, column 1: a quote is not closed: close it",
    },
    {
      what: "a sign that begins nothing",
      text: dev.replace("kind-aidbox", "@aidbox"),
      problem: "line 6, column 31: @ cannot begin a text: put it in quotes",
    },
    {
      what: "a star alone",
      text: dev.replace("kind-aidbox", "*"),
      problem: "line 6, column 31: * stands for an anchor, and none is named: put the text in quotes",
    },
    {
      what: "a backslash in double quotes",
      text: dev.replace("kind-aidbox", '"kind\\quiet"'),
      problem: "line 6, column 36: \\q means nothing in double quotes: use single quotes",
    },
    {
      what: "a control character",
      text: dev.replace("kind-aidbox", "kind\0aidbox"),
      problem: "line 6: has a control character: write the line anew",
    },
  ])("with $what is refused, and it says where", ({ text, problem }) => {
    write(text);
    expect(errorOf("dev").message).toContain(`${path()} is no YAML that this stack can read: ${problem}`);
  });

  it("with one mistake that others follow from is told that one", () => {
    write(dev.replace("  aidbox-secrets:vault", " aidbox-secrets:vault"));
    expect(errorOf("dev").problems).toHaveLength(1);
  });

  it("may use one anchor in many rows, and not so that it fills the memory", () => {
    const rows = Array.from({ length: 300 }, (_, index) => `    - { name: s${index}, path: p/${index}, scope: *s }\n`);
    const client = "common: &s { resourceType: Client }\nconfig:";
    write(dev.replace("config:", client).replace("    - name", `${rows.join("")}    - name`));
    expect(read().environment.table.secrets).toHaveLength(301);
    const doubled = Array.from({ length: 6 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}]\n`);
    write(`a0: &a0 [x]\n${doubled.join("")}${dev}`);
    expect(errorOf("dev").message).toContain(
      "no YAML that this stack can read: its aliases make it too large: use fewer",
    );
  });

  it.each<BufferEncoding>(["latin1", "utf16le"])("in the encoding %s is refused", (encoding) => {
    writeFileSync(path(), Buffer.from(dev.replace("by kind", "für kind"), encoding));
    const message = `${path()} cannot be read: it is not in UTF-8: save it in that encoding`;
    expect(errorOf("dev").problems).toEqual([{ key: "", message }]);
  });

  it.each([
    { what: "a byte order mark", text: `\u{feff}${dev}` },
    { what: "line ends of Windows", text: dev.replaceAll("\n", "\r\n") },
    { what: "letters beyond ASCII", text: dev.replace("by kind", "für alle") },
  ])("with $what is read", ({ text }) => {
    write(text);
    expect(read().environment.kubeContext).toBe("kind-aidbox");
  });

  it("whose keys lie beside `config:` is told so, and not that they are missing", () => {
    write("config:\naidbox-secrets:development: true\naidbox-secrets:vault: { mode: dev }\n");
    const message = `${path()} has keys outside of \`config:\`: indent them below it: aidbox-secrets:development, aidbox-secrets:vault`;
    expect(errorOf("dev").problems).toEqual([{ key: "", message }]);
  });

  it.each(["- 1\n", "text\n", "config: [1]\n", "config: 5\n"])(
    "of %j is refused, since its config is no object",
    (text) => {
      write(text);
      expect(errorOf("dev").message).toBe(
        messageOf(
          "dev",
          `${path()} has no object \`config\`: write its keys below \`config:\`, as aidbox-secrets:kubeContext`,
        ),
      );
    },
  );

  it("without the prefix, or with one that is nearly it, is told so, and not that keys are missing", () => {
    write(dev.replaceAll("aidbox-secrets:kube", "kube").replace("aidbox-secrets:vault", "aidbox-secret:vault"));
    expect(errorOf("dev").message).toBe(
      messageOf(
        "dev",
        "kubeContext (line 6, column 3): lacks the prefix of this project: write aidbox-secrets:kubeContext",
        "aidbox-secret:vault (line 14, column 3): lacks the prefix of this project: write aidbox-secrets:vault",
      ),
    );
  });

  it("with the prefix's first word alone is told so", () => {
    write(dev.replace("aidbox-secrets:vault", "aidbox:vault"));
    const message = "aidbox:vault (line 14, column 3): lacks the prefix of this project: write aidbox-secrets:vault";
    expect(errorOf("dev").problems).toEqual([{ key: "", message }]);
  });

  it("with the prefix as a key of its own is told what to write", () => {
    write(dev.replace("aidbox-secrets:kubeContext:", "aidbox-secrets:\n    kubeContext:"));
    const message = "aidbox-secrets (line 6, column 3): is the prefix of each key: write aidbox-secrets:kubeContext";
    expect(errorOf("dev").problems).toEqual([{ key: "", message }]);
  });

  it("with a path as a key, as `pulumi config set` leaves it, is told where it belongs", () => {
    write(`${dev}  aidbox-secrets:aidbox.resources.cpuRequest: 1\n`);
    const message =
      "is a path, and stands as one key: write resources.cpuRequest below aidbox, as `pulumi config set --path` does";
    expect(errorOf("dev").problems).toEqual([{ key: "aidbox.resources.cpuRequest", message }]);
  });
});

it.each([
  { written: "mountpath: /x", key: "mountpath", meant: "mountPath" },
  { written: "rotationbound: 30s", key: "rotationbound", meant: "rotationBound" },
  { written: "namespaces: { aidbx: x }", key: "namespaces.aidbx", meant: "aidbox" },
  { written: "csiDriver: { relase: x }", key: "csiDriver.relase", meant: "release" },
])("$key is told what was meant", ({ written, key, meant }) => {
  writeFileSync(join(folder, "Pulumi.dev.yaml"), `${dev}  aidbox-secrets:${written}\n`);
  const message = `is not a key that this stack knows: did you mean ${meant}?`;
  expect(errorOf("dev").problems).toEqual([{ key, message }]);
});

it("a key of another mode is told which, and a row's misspelt key what was meant", () => {
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    dev.replace("mode: dev", "mode: dev\n    address: https://vault.example.com").replace("path:", "paht:"),
  );
  expect(errorOf("dev").problems).toEqual([
    { key: "secrets[0].paht", message: "is not a key that this stack knows: did you mean path?" },
    { key: "vault.address", message: "is a key of mode external, and this is dev: remove it" },
  ]);
});

it("a file that is empty lacks every key that has no default", () => {
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "");
  expect(errorOf("dev").message).toBe(
    messageOf(
      "dev",
      "aidbox-secrets:kubeContext: is missing: write the name of a context of the kubeconfig",
      "aidbox-secrets:secrets: is missing: write the table of secrets, a list",
      "aidbox-secrets:aidbox: is missing: write at least { image }",
      "aidbox-secrets:vault: is missing: write mode: dev (in memory, for development), standalone or ha (with storage and " +
        "TLS) or external (a Vault that is there already); or, in its place, write azureKeyVault for Azure Key Vault or " +
        "awsSecrets for AWS",
    ),
  );
});

it("a folder in a file's place is refused", () => {
  mkdirSync(join(folder, "Pulumi.prod.yaml"));
  expect(errorOf("prod").message).toBe(
    messageOf("prod", `${join(folder, "Pulumi.prod.yaml")} cannot be read: it is a folder`),
  );
});

it("of a misspelt environment the near one is named", () => {
  writeFileSync(join(folder, "Pulumi.staging.yaml"), dev);
  expect(errorOf("stagign").message).toContain("did you mean --env staging? Or write it, or pass --env with one of");
});

it("Pulumi reads the same text as this stack, also where its library sees a time or a number", async () => {
  const variables = { DATE: "2026-11-26", NUMBER: "1_000", WORD: "on" };
  writeFileSync(join(folder, "Pulumi.yaml"), "");
  const environment = { key: "aidbox.environment", value: JSON.stringify(variables) };
  const pulumi = { file: "/bin/true", args: [] }; // which has a stack already
  const { configFile } = await openWorkspace(folder, read(environment), pulumi, "ignore");
  const copy = readFileSync(configFile, "utf8");
  for (const [name, text] of Object.entries(variables)) expect(copy).toContain(`"${name}": "${text}"\n`);
});

it("a file that is not there is named, with the environments that are", () => {
  for (const name of ["Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.test.yaml.bak"]) {
    writeFileSync(join(folder, name), dev);
  }
  expect(errorOf("prod").message).toBe(
    messageOf(
      "prod",
      `there is no ${join(folder, "Pulumi.prod.yaml")}: write it, or pass --env with one of: dev, staging`,
    ),
  );
});
