import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ApiObject, App, Chart, Helm, Include } from "cdk8s";
import { Construct, Node } from "constructs";
import { type ChartBuilder, DeployedChart, OutputTokens } from "../../bridge";
import { TokenCode } from "../../bridge/token-code";
import { Engine, failuresOf, type Json, promiseOf, secret, settled, unknown } from "../mocks";

const types = {
  "cdk8s-pulumi:index:DeployedChart": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:core/v1:Namespace": {},
  "kubernetes:core/v1:Secret": {},
  "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": {},
  "kubernetes:apps/v1:Deployment": {},
  "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass": {},
  "test:index:Source": { value: "from the provider" },
};

/** A resource whose `value` only its provider knows. */
class Source extends pulumi.CustomResource {
  declare public readonly value: pulumi.Output<string>;

  public constructor(name: string) {
    super("test:index:Source", name, { value: undefined });
  }
}

/** Deploys a chart `chart` as `deployed`, with what `build` puts into it. */
function deploy(build: (chart: Chart, builder: ChartBuilder) => void): DeployedChart<Chart> {
  return new DeployedChart("deployed", (builder) => {
    const chart = new Chart(builder.app, "chart");
    build(chart, builder);
    return chart;
  });
}

function configMap(scope: Construct, id: string, data: unknown = { key: "value" }): ApiObject {
  return new ApiObject(scope, id, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: id }, data });
}

/** A construct of several ConfigMaps. */
function group(scope: Construct, id: string, size: number): Construct {
  const construct = new Construct(scope, id);
  for (let index = 0; index < size; index++) configMap(construct, `${id}-${index}`);
  return construct;
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It did not fail");
}

/** A text without the random marks of the tokens in it. */
function withoutMarks(text: string): string {
  return text.replace(/\$\{output:[0-9a-f]{16}:/g, "${output:MARK:");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** An Output where the types want a string, as careless code hands it over. */
function cast(output: pulumi.Output<string>): string {
  return output as unknown as string;
}

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

describe("a value of a manifest", () => {
  type MakeData = (outputs: OutputTokens) => unknown;
  const host = (): pulumi.Output<string> => pulumi.output("vault.example");
  const password = (): pulumi.Output<string> => pulumi.secret("hunter2");
  const list = (): pulumi.Output<string> => pulumi.output<unknown>(["a", 1]) as pulumi.Output<string>;

  test.each<[what: string, data: MakeData, expected: Json]>([
    ["a plain string", (outputs) => outputs.string("plain"), "plain"],
    ["an Output as a whole", (outputs) => outputs.string(host()), "vault.example"],
    ["an Output inside a string", (outputs) => `https://${outputs.string(host())}:8200`, "https://vault.example:8200"],
    [
      "two Outputs in one string",
      (outputs) => `${outputs.string(host())}/${outputs.string(pulumi.output("v1"))}`,
      "vault.example/v1",
    ],
    [
      "one token twice in a string",
      (outputs) => {
        const token = outputs.string(host());
        return `${token},${token}`;
      },
      "vault.example,vault.example",
    ],
    [
      "one token in two places",
      (outputs) => {
        const token = outputs.string(host());
        return { first: token, second: token };
      },
      { first: "vault.example", second: "vault.example" },
    ],
    ["an Output in a list", (outputs) => ["-a", outputs.string(host())], ["-a", "vault.example"]],
    ["a secret as a whole", (outputs) => outputs.string(password()), secret("hunter2")],
    ["a secret inside a string", (outputs) => `pw=${outputs.string(password())}`, secret("pw=hunter2")],
    [
      "a secret and a plain Output in one string",
      (outputs) => `${outputs.string(host())}:${outputs.string(password())}`,
      secret("vault.example:hunter2"),
    ],
    [
      "a secret beside a plain Output",
      (outputs) => ({ host: outputs.string(host()), password: outputs.string(password()) }),
      { host: "vault.example", password: secret("hunter2") },
    ],
    [
      "a value with the marks of a replacement pattern",
      (outputs) => `<${outputs.string(pulumi.output("$& $1 $$"))}>`,
      "<$& $1 $$>",
    ],
    ["a promise", (outputs) => outputs.string(Promise.resolve("promised")), "promised"],
    ["a plain number", (outputs) => outputs.number(3), 3],
    ["a number as a whole", (outputs) => outputs.number(pulumi.output(3)), 3],
    ["a secret number", (outputs) => outputs.number(pulumi.secret(3)), secret(3)],
    ["a number inside a string", (outputs) => `${outputs.number(pulumi.output(250))}m`, "250m"],
    ["a number behind digits", (outputs) => `10${outputs.number(pulumi.output(3))}`, "103"],
    [
      "numbers beside each other",
      (outputs) => `${outputs.number(pulumi.output(80))}${outputs.number(pulumi.output(81))}0`,
      "80810",
    ],
    ["a number as a string", (outputs) => String(outputs.number(pulumi.output(3))), "3"],
    ["a list", (outputs) => outputs.json(list()), ["a", 1]],
    ["an object with a secret", (outputs) => outputs.json(pulumi.secret({ a: { b: 1 } })), secret({ a: { b: 1 } })],
    ["true or false", (outputs) => outputs.json(pulumi.output(false)), false],
    ["JSON inside a string", (outputs) => `x=${outputs.json(list())}`, 'x=["a",1]'],
    [
      "the checksum of a value that comes later",
      (outputs) => outputs.checksum(pulumi.output("value")),
      createHash("sha256").update("value").digest("hex"),
    ],
    ["a large number that is no token", () => 2 ** 52 + 1, 2 ** 52 + 1],
    ["sixteen digits that are no token", () => "at 4503599627370497", "at 4503599627370497"],
    ["numbers and booleans", () => ({ port: 8200, tls: false }), { port: 8200, tls: false }],
    ["plain text that looks like a token", () => "echo ${output:0}", "echo ${output:0}"],
    [
      "plain text that looks like a token, beside a token",
      (outputs) => `echo \${output:0} ${outputs.string(host())}`,
      "echo ${output:0} vault.example",
    ],
    ["plain text that looks like a token, as a key", () => ({ "${output:0}": "value" }), { "${output:0}": "value" }],
    [
      "an Output whose value looks like a token",
      (outputs) => `${outputs.string(pulumi.output("${output:0}"))}/${outputs.string(host())}`,
      "${output:0}/vault.example",
    ],
  ])("%s", async (_, data, expected) => {
    deploy((chart, { outputs }) => configMap(chart, "config", { value: data(outputs) }));
    await engine.finished();
    expect(engine.resource("deployed/config").inputs).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "config" },
      data: { value: expected },
    });
  });

  test("a resource's Output makes the object come after the resource", async () => {
    const source = new Source("source");
    deploy((chart, { outputs }) => configMap(chart, "config", { value: `is ${outputs.string(source.value)}` }));
    await engine.finished();
    const { inputs, dependsOn } = engine.resource("deployed/config");
    expect(inputs.data).toEqual({ value: "is from the provider" });
    expect(dependsOn).toEqual(["source"]);
  });

  test("an Output that is unknown in a preview leaves everything else registered", async () => {
    engine = await Engine.start({ types, run: "first preview" });
    const source = new Source("source");
    deploy((chart, { outputs }) => {
      const value = outputs.string(source.value);
      const first = configMap(chart, "first", { whole: value, embedded: `is ${value}`, known: "known" });
      configMap(chart, "second").addDependency(first);
      configMap(chart, "third");
    });
    await engine.finished();
    expect([...engine.names].sort()).toEqual([
      "deployed",
      "deployed/first",
      "deployed/second",
      "deployed/third",
      "source",
    ]);
    expect(engine.resource("deployed/first").inputs).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "first" },
      data: { whole: unknown, embedded: unknown, known: "known" },
    });
    expect(engine.resource("deployed/second").inputs.data).toEqual({ key: "value" });
  });
});

describe("tokens", () => {
  const texts = (name: string, value: string): unknown[] => {
    const outputs = new OutputTokens(name);
    return [
      outputs.string(pulumi.output(value)),
      outputs.number(pulumi.output(1)),
      outputs.json(pulumi.output([value])),
    ];
  };

  test("are the same at every run, whatever the values, so that a hash of a text with one is too", () => {
    expect(texts("deployed", "one")).toEqual(texts("deployed", "another"));
  });

  test("of two tables differ", () => {
    const [one, other] = [texts("deployed", "value"), texts("other", "value")];
    expect(one.filter((token) => other.includes(token))).toEqual([]);
  });

  test("are at most as many as a number can tell apart", () => {
    const code = new TokenCode("deployed");
    expect(code.indexOf(code.number(65_535))).toBe(65_535);
    expect(() => code.number(65_536)).toThrow("more than 65536 tokens: deploy the chart as several");
  });

  test("a checksum changes with the value, and with nothing else", async () => {
    const checksums: unknown[] = [];
    for (const value of ["one", "one", "two"]) {
      engine = await Engine.start({ types });
      deploy((chart, { outputs }) => configMap(chart, "config", { value: outputs.checksum(pulumi.output({ value })) }));
      await engine.finished();
      checksums.push((engine.resource("deployed/config").inputs.data as { value: string }).value);
    }
    expect(checksums[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(checksums[1]).toBe(checksums[0]);
    expect(checksums[2]).not.toBe(checksums[0]);
  });
});

describe("an Output that cannot be brought back is an error", () => {
  const output = (): pulumi.Output<string> => pulumi.output("value");
  const advice = "pass the Output through string(), number() or json() of this chart's OutputTokens";
  const path = "chart/part/config";

  test.each<[what: string, data: (outputs: OutputTokens) => unknown, message: string]>([
    [
      "cast into a string in a template literal",
      () => ({ url: `https://${cast(output())}` }),
      `${path}: data.url holds an Output that was turned into a string; ${advice}`,
    ],
    [
      "in JSON.stringify",
      () => ({ "config.json": JSON.stringify({ url: output() }) }),
      `${path}: data.config.json holds an Output that was turned into a string; ${advice}`,
    ],
    [
      "in a template literal in a list",
      () => ({ args: ["-a", `--url=${cast(output())}`] }),
      `${path}: data.args.1 holds an Output that was turned into a string; ${advice}`,
    ],
    [
      "cast, as an object's key",
      () => ({ [cast(output())]: "value" }),
      `${path}: data has a key made from an Output; ${advice}`,
    ],
    [
      "a token, as an object's key",
      (outputs) => ({ hosts: { [outputs.string(output())]: "value" } }),
      `${path}: data.hosts has a key made from an Output; ${advice}`,
    ],
    [
      "a token of another chart's OutputTokens",
      () => ({ url: `https://${new OutputTokens("other").string(output())}` }),
      `${path}: data.url holds a token of another chart's OutputTokens; ${advice}`,
    ],
    [
      "a token of another chart's OutputTokens, with an index that is here too",
      (outputs) => {
        outputs.string(pulumi.output("the first one here"));
        return { url: new OutputTokens("other").string(output()) };
      },
      `${path}: data.url holds a token of another chart's OutputTokens; ${advice}`,
    ],
    [
      "a token of another chart's OutputTokens, beside one of its own",
      (outputs) => ({ url: `${outputs.string(output())}/${new OutputTokens("other").string(output())}` }),
      `${path}: data.url holds a token of another chart's OutputTokens; ${advice}`,
    ],
  ])("%s", (_, data, message) => {
    const deployment = (): unknown =>
      deploy((chart, { outputs }) => configMap(new Construct(chart, "part"), "config", data(outputs)));
    expect(messageOf(deployment)).toBe(message);
  });

  test.each<[what: string, change: (token: string) => unknown]>([
    ["base64-encoded", (token) => base64(token)],
    ["base64-encoded behind a byte", (token) => base64(`:${token}`)],
    ["base64-encoded behind two bytes, in a text", (token) => `data: ${base64(`a:${token}\n`)}`],
    ["base64-encoded for a URL", (token) => Buffer.from(`<<${token}`).toString("base64url")],
    ["hex-encoded", (token) => Buffer.from(token).toString("hex")],
    ["in upper case", (token) => token.toUpperCase()],
    ["URL-encoded", (token) => encodeURIComponent(token)],
    ["without its end", (token) => token.slice(0, -2)],
    ["cut within its mark", (token) => `name-${token.slice(0, 14)}`],
    ["without its beginning", (token) => token.slice(9)],
    ["beside a whole one", (token) => `${token} ${token.toUpperCase()}`],
  ])("a token %s", (_, change) => {
    const deployment = (): unknown =>
      deploy((chart, { outputs }) =>
        configMap(new Construct(chart, "part"), "config", change(outputs.string(output()))),
      );
    expect(messageOf(deployment)).toBe(
      `${path}: data holds a token that was changed: cut, encoded or in other letters; ${advice}`,
    );
  });

  test.each<[what: string, change: (token: number, text: string) => unknown, message: string]>([
    ["one more", (token) => token + 1, "data was calculated from a token"],
    ["the next but one", (token) => token - 2, "data was calculated from a token"],
    ["its negative", (token) => -token, "data was calculated from a token"],
    ["seconds of minutes", (token) => token * 60, "data was calculated from a token"],
    ["a third more", (token) => token * 1.5 + token, "data was calculated from a token"],
    ["seconds of milliseconds", (token) => token / 1000, "data was calculated from a token"],
    ["mebibytes of bytes", (token) => Math.floor(token / 1024 ** 2), "data was calculated from a token"],
    [
      "seconds of minutes inside a string",
      (token) => `${token * 60}s`,
      "data holds a token that was changed: cut, encoded or in other letters",
    ],
    [
      "one more inside a string",
      (token) => `${token + 1}m`,
      "data holds a token that was changed: cut, encoded or in other letters",
    ],
    [
      "of a string's token",
      (_, text) => Number(text),
      "data is NaN, as a calculation with an Output or its token gives it",
    ],
  ])("a number: %s", (_, change, message) => {
    const deployment = (): unknown =>
      deploy((chart, { outputs }) => {
        const data = change(outputs.number(pulumi.output(3)), outputs.string(output()));
        return configMap(new Construct(chart, "part"), "config", data);
      });
    expect(messageOf(deployment)).toBe(`${path}: ${message}; ${advice}`);
  });

  test.each<[what: string, data: (outputs: OutputTokens) => unknown, message: string]>([
    [
      "a number for a string",
      (outputs) => outputs.string(pulumi.output(3) as unknown as pulumi.Output<string>),
      "was given as a string, and came as number",
    ],
    [
      "text for a number",
      (outputs) => outputs.number(pulumi.output("3") as unknown as pulumi.Output<number>),
      "was given as a number, and came as string",
    ],
    [
      "nothing for a string",
      (outputs) => outputs.string(pulumi.output(undefined) as unknown as pulumi.Output<string>),
      "was given as a string, and came as undefined",
    ],
  ])("that brings %s", async (_, data, message) => {
    const failures = await failuresOf(async () => {
      deploy((chart, { outputs }) => configMap(new Construct(chart, "part"), "config", { value: data(outputs) }));
      await engine.finished();
    });
    expect(failures.join("\n")).toContain(`${path}: data.value ${message}; ${advice}`);
    engine = await Engine.start({ types });
  });

  test("raw, cast into a prop", () => {
    const deployment = (): unknown =>
      deploy((chart) => configMap(new Construct(chart, "part"), "config", { url: cast(output()) }));
    expect(messageOf(deployment)).toBe(`${path}: data.url holds a raw Output; ${advice}`);
  });

  test("what else a construct cannot render names its path and its own words", () => {
    const deployment = (): unknown =>
      deploy((chart) => {
        const object = configMap(new Construct(chart, "part"), "config");
        object.toJson = () => {
          throw new Error("no port");
        };
      });
    expect(messageOf(deployment)).toBe(`${path} cannot be rendered: Error: no port`);
  });

  test.each<[what: string, faulty: (chart: Chart, builder: ChartBuilder) => void]>([
    ["a raw Output", (chart) => configMap(chart, "faulty", { url: cast(output()) })],
    ["an Output cast into a string", (chart) => configMap(chart, "faulty", { url: `https://${cast(output())}` })],
    [
      "another table's token",
      (chart) => configMap(chart, "faulty", { url: new OutputTokens("other").string(output()) }),
    ],
    ["a token as a key", (chart, { outputs }) => configMap(chart, "faulty", { [outputs.string(output())]: "value" })],
    ["a token as an id", (chart, { outputs }) => configMap(chart, outputs.string(output()))],
    [
      "a circle",
      (chart) => {
        const [first, second] = [configMap(chart, "first"), configMap(chart, "second")];
        first.addDependency(second);
        second.addDependency(first);
      },
    ],
    [
      "a dependency on a chart of another app",
      (chart) => {
        configMap(chart, "faulty").addDependency(configMap(new Chart(new App(), "other"), "config"));
      },
    ],
  ])("%s in one object registers none of the chart's", async (_, faulty) => {
    const deployment = (): unknown =>
      deploy((chart, builder) => {
        group(chart, "before", 2);
        faulty(chart, builder);
        group(chart, "after", 2);
      });
    expect(messageOf(deployment)).not.toBe("");
    await engine.finished();
    expect(engine.names).toEqual(["deployed"]);
  });

  test.each<[what: string, id: (outputs: OutputTokens) => string, shown: string]>([
    ["a token in a construct's id", (outputs) => `for-${outputs.string(output())}`, "for-${output:MARK:0}"],
    [
      "an Output cast into a construct's id",
      () => `for-${cast(output())}`.split(" is not")[0]!,
      "for-Calling [toString] on an [Output<T>]",
    ],
  ])("%s", (_, id, shown) => {
    const deployment = (): unknown =>
      deploy((chart, { outputs }) => configMap(new Construct(chart, id(outputs)), "config"));
    expect(withoutMarks(messageOf(deployment))).toBe(
      "The chart chart is not valid:\n" +
        `  chart/${shown}: the construct's id is made from an Output, which is not known yet; use a plain string`,
    );
  });

  test("everything that a chart's validation finds shows at once", () => {
    const deployment = (): unknown =>
      deploy((chart, { outputs }) => {
        configMap(chart, outputs.string(output()).concat("-config"));
        group(chart, "first", 1).node.addValidation({ validate: () => ["has no port", "has no host"] });
        group(chart, "second", 1).node.addValidation({ validate: () => ["is too long"] });
      });
    expect(withoutMarks(messageOf(deployment))).toBe(
      [
        "The chart chart is not valid:",
        "  chart/${output:MARK:0}-config: the construct's id is made from an Output, which is not known yet; use a plain string",
        "  chart/first: has no port",
        "  chart/first: has no host",
        "  chart/second: is too long",
      ].join("\n"),
    );
  });
});

describe("dependencies among constructs", () => {
  test("on an object", async () => {
    deploy((chart) => {
      const later = configMap(chart, "later");
      later.addDependency(configMap(chart, "earlier"));
    });
    await engine.finished();
    expect(engine.names).toEqual(["deployed", "deployed/earlier", "deployed/later"]);
    expect(engine.resource("deployed/later").dependsOn).toEqual(["deployed/earlier"]);
    expect(engine.resource("deployed/earlier").dependsOn).toEqual([]);
  });

  test("on a construct mean all of its objects", async () => {
    deploy((chart) => {
      configMap(chart, "later").addDependency(group(chart, "group", 3));
    });
    await engine.finished();
    expect(engine.resource("deployed/later").dependsOn).toEqual([
      "deployed/group/group-0",
      "deployed/group/group-1",
      "deployed/group/group-2",
    ]);
  });

  test("of a construct hold for all objects below it", async () => {
    deploy((chart) => {
      const outer = new Construct(chart, "outer");
      group(outer, "inner", 2);
      outer.node.addDependency(configMap(chart, "earlier"));
    });
    await engine.finished();
    expect(engine.resource("deployed/outer/inner/inner-0").dependsOn).toEqual(["deployed/earlier"]);
    expect(engine.resource("deployed/outer/inner/inner-1").dependsOn).toEqual(["deployed/earlier"]);
  });

  test("of a construct on an object of its own leave that object free", async () => {
    deploy((chart) => {
      const outer = new Construct(chart, "outer");
      const first = configMap(outer, "first");
      configMap(outer, "second");
      outer.node.addDependency(first);
    });
    await engine.finished();
    expect(engine.resource("deployed/outer/first").dependsOn).toEqual([]);
    expect(engine.resource("deployed/outer/second").dependsOn).toEqual(["deployed/outer/first"]);
  });

  test("of a construct on a part of its own with several objects leave those free", async () => {
    deploy((chart) => {
      const outer = new Construct(chart, "outer");
      configMap(outer, "last");
      outer.node.addDependency(group(new Construct(outer, "deep"), "first", 2));
    });
    await engine.finished();
    expect(engine.resource("deployed/outer/deep/first/first-0").dependsOn).toEqual([]);
    expect(engine.resource("deployed/outer/deep/first/first-1").dependsOn).toEqual([]);
    expect(engine.resource("deployed/outer/last").dependsOn).toEqual([
      "deployed/outer/deep/first/first-0",
      "deployed/outer/deep/first/first-1",
    ]);
  });

  test("of the chart on an object of its own put that object first", async () => {
    deploy((chart) => {
      group(chart, "rest", 2);
      chart.node.addDependency(configMap(chart, "first"));
    });
    await engine.finished();
    expect(engine.names[1]).toBe("deployed/first");
    expect(engine.resource("deployed/rest/rest-1").dependsOn).toEqual(["deployed/first"]);
  });

  test.each<[what: string, depend: (chart: Chart, other: Chart) => void, from: string]>([
    [
      "an object",
      (chart, other) => {
        configMap(chart, "later").addDependency(configMap(other, "config"));
      },
      "later",
    ],
    [
      "a construct",
      (chart, other) => {
        group(chart, "part", 1).node.addDependency(group(other, "part", 1));
      },
      "part/part-0",
    ],
  ])("on %s of another app are an error that names both paths", (_, depend, from) => {
    const deployment = (): unknown =>
      deploy((chart) => {
        depend(chart, new Chart(new App(), "other"));
      });
    const on = from === "later" ? "config" : "part";
    expect(messageOf(deployment)).toBe(
      `chart/${from} depends on other/${on}, which is in another app: ` +
        "deploy that one too, and wait for its resources by waitFor()",
    );
  });

  test("make an object wait until those before it are registered", async () => {
    const gate = new Source("source");
    deploy((chart, { outputs }) => {
      const earlier = configMap(chart, "earlier", { value: outputs.string(gate.value) });
      configMap(chart, "a-later").addDependency(earlier);
      configMap(chart, "free");
    });
    await engine.finished();
    expect(engine.names.indexOf("deployed/earlier")).toBeLessThan(engine.names.indexOf("deployed/a-later"));
  });

  test("in a circle are an error that names every construct of it", () => {
    const deployment = (): unknown =>
      deploy((chart) => {
        const [first, second, third] = [
          configMap(chart, "first"),
          configMap(chart, "second"),
          group(chart, "third", 1),
        ];
        configMap(chart, "outside").addDependency(first);
        first.addDependency(second);
        second.addDependency(third);
        third.node.addDependency(first);
      });
    expect(messageOf(deployment)).toBe(
      "Constructs depend on each other in a circle: chart/first → chart/second → chart/third/third-0 → chart/first",
    );
  });

  test("of 200 objects in a chain are all registered, each after the one before it", async () => {
    deploy((chart) => {
      const chain = Array.from({ length: 200 }, (_, index) => configMap(chart, `object-${index}`));
      for (const [index, object] of chain.entries()) if (index > 0) object.addDependency(chain[index - 1]!);
    });
    await engine.finished();
    expect(engine.names).toEqual(["deployed", ...Array.from({ length: 200 }, (_, n) => `deployed/object-${n}`)]);
    expect(engine.resource("deployed/object-199").dependsOn).toEqual(["deployed/object-198"]);
  });

  test("of 10 constructs of 10 objects in a chain are looked up once for each construct", async () => {
    const findAll = jest.spyOn(Node.prototype, "findAll");
    deploy((chart) => {
      const chain = Array.from({ length: 10 }, (_, index) => group(chart, `group-${index}`, 10));
      for (const [index, each] of chain.entries()) if (index > 0) each.node.addDependency(chain[index - 1]!);
      findAll.mockClear();
    });
    // The validation and the chart itself once each, and the nine constructs that others depend on.
    expect(findAll.mock.calls.length).toBe(11);
    findAll.mockRestore();
    await engine.finished();
    expect(engine.names).toHaveLength(101);
    expect(engine.resource("deployed/group-9/group-9-0").dependsOn).toEqual(
      Array.from({ length: 10 }, (_, index) => `deployed/group-8/group-8-${index}`),
    );
  });
});

describe("waitFor", () => {
  test("a resource", async () => {
    const source = new Source("source");
    deploy((chart, { waitFor }) => {
      waitFor(group(chart, "waiting", 2), source);
      configMap(chart, "free");
    });
    await engine.finished();
    expect(engine.resource("deployed/waiting/waiting-0").dependsOn).toEqual(["source"]);
    expect(engine.resource("deployed/waiting/waiting-1").dependsOn).toEqual(["source"]);
    expect(engine.resource("deployed/free").dependsOn).toEqual([]);
  });

  test("an Output, and the resource that it comes from", async () => {
    const source = new Source("source");
    let open = (): void => undefined;
    const gate = source.value.apply(() => new Promise<void>((resolve) => (open = resolve)));
    deploy((chart, { waitFor }) => {
      waitFor(configMap(chart, "waiting"), gate);
      configMap(chart, "free");
    });
    await settled();
    expect([...engine.names].sort()).toEqual(["deployed", "deployed/free", "source"]);
    open();
    await engine.finished();
    expect(engine.names.at(-1)).toBe("deployed/waiting");
    expect(engine.resource("deployed/waiting").dependsOn).toEqual(["source"]);
  });

  test("several times, for one construct and for a part of it", async () => {
    const [first, second, third] = [new Source("first"), new Source("second"), new Source("third")];
    deploy((chart, { waitFor }) => {
      const outer = new Construct(chart, "outer");
      const inner = configMap(outer, "inner");
      waitFor(outer, first);
      waitFor(outer, second);
      waitFor(inner, third);
    });
    await engine.finished();
    expect([...engine.resource("deployed/outer/inner").dependsOn].sort()).toEqual(["first", "second", "third"]);
  });

  test("an Output that rejects ends the program, and nothing that waits is registered", async () => {
    const failures = await failuresOf(async () => {
      deploy((chart, { waitFor }) => {
        const waiting = configMap(chart, "waiting");
        waitFor(waiting, pulumi.output(Promise.reject(new Error("Vault is sealed"))));
        configMap(chart, "free");
      });
      await engine.finished();
    });
    expect(failures).toEqual(["Vault is sealed"]);
    expect(engine.names).toEqual(["deployed", "deployed/free"]);
  });

  test("an unknown Output does not wait in a preview", async () => {
    engine = await Engine.start({ types, run: "first preview" });
    const source = new Source("source");
    deploy((chart, { waitFor }) => {
      waitFor(configMap(chart, "waiting"), source.value);
    });
    await engine.finished();
    expect(engine.resource("deployed/waiting").dependsOn).toEqual(["source"]);
  });
});

describe("charts beside it in the app", () => {
  test("are deployed too, each object after those that it depends on", async () => {
    deploy((chart, { app, outputs }) => {
      const other = new Chart(app, "other");
      const first = configMap(other, "first", { value: outputs.string(pulumi.output("value")) });
      configMap(chart, "config").addDependency(first);
    });
    await engine.finished();
    expect(engine.names).toEqual(["deployed", "deployed:other/first", "deployed/config"]);
    expect(engine.resource("deployed:other/first").inputs.data).toEqual({ value: "value" });
    expect(engine.resource("deployed/config").dependsOn).toEqual(["deployed:other/first"]);
  });

  test("are held to their validation", () => {
    const deployment = (): unknown =>
      deploy((_, { app }) => {
        new Chart(app, "other").node.addValidation({ validate: () => ["has no port"] });
      });
    expect(messageOf(deployment)).toBe("The chart other is not valid:\n  other: has no port");
  });
});

describe("objects that others need", () => {
  const object = (scope: Construct, id: string, manifest: object): ApiObject =>
    new ApiObject(scope, id, { apiVersion: "v1", kind: "ConfigMap", ...manifest });

  test("the Namespace comes before what is in it, also where it was added later", async () => {
    deploy((chart) => {
      object(chart, "inside", { metadata: { namespace: "apps" } });
      object(chart, "elsewhere", { metadata: { namespace: "others" } });
      object(chart, "namespace", { kind: "Namespace", metadata: { name: "apps" } });
    });
    await engine.finished();
    expect(engine.resource("deployed/inside").dependsOn).toEqual(["deployed/namespace"]);
    expect(engine.resource("deployed/elsewhere").dependsOn).toEqual([]);
  });

  test("the definition of a kind comes before what is of it", async () => {
    const kind = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass" };
    deploy((chart) => {
      object(chart, "class", kind);
      object(chart, "definition", {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        spec: { group: "secrets-store.csi.x-k8s.io", names: { kind: "SecretProviderClass" } },
      });
    });
    await engine.finished();
    expect(engine.resource("deployed/class").dependsOn).toEqual(["deployed/definition"]);
  });

  test("come from files and from Helm's charts as from constructs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bridge-"));
    const file = join(folder, "all.yaml");
    writeFileSync(
      file,
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: config, namespace: apps }\n---\n" +
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: apps }\n",
    );
    const helm = join(folder, "helm");
    writeFileSync(
      helm,
      "#!/bin/sh\nprintf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: of-helm}\\ndata: {a: b}\\n'\n",
      { mode: 0o755 },
    );
    deploy((chart) => {
      new Include(chart, "file", { url: file });
      new Helm(chart, "helm", { chart: folder, helmExecutable: helm });
    });
    await engine.finished();
    rmSync(folder, { recursive: true });
    expect(engine.resource("deployed/file/config-configmap-apps").dependsOn).toEqual(["deployed/file/apps-namespace"]);
    expect(engine.resource("deployed/helm/of-helm-configmap").inputs.data).toEqual({ a: "b" });
  });
});

test("what builds no chart is an error that says so", () => {
  expect(messageOf(() => new DeployedChart("deployed", (() => undefined) as never))).toBe(
    "DeployedChart deployed: what builds it returns no chart: return the one that it makes in the app",
  );
});

describe("the resources", () => {
  test.each([
    ["v1", "ConfigMap", "kubernetes:core/v1:ConfigMap"],
    ["apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"],
    [
      "secrets-store.csi.x-k8s.io/v1",
      "SecretProviderClass",
      "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
    ],
  ])("of %s %s have the Kubernetes provider's own type", async (apiVersion, kind, type) => {
    deploy((chart) => new ApiObject(chart, "object", { apiVersion, kind }));
    await engine.finished();
    expect(engine.resource("deployed/object").type).toBe(type);
  });

  test("are children of the chart's component, named after it and their path in the chart", async () => {
    deploy((chart) => {
      configMap(chart, "alone");
      group(new Construct(chart, "outer"), "inner", 2);
    });
    await engine.finished();
    expect(engine.registrations.map(({ name, parent }) => [name, parent])).toEqual([
      ["deployed", ""],
      ["deployed/alone", "deployed"],
      ["deployed/outer/inner/inner-0", "deployed"],
      ["deployed/outer/inner/inner-1", "deployed"],
    ]);
  });

  test("keep their names when the chart grows", async () => {
    deploy((chart) => group(chart, "group", 2));
    await engine.finished();
    const before = engine.names;
    engine = await Engine.start({ types });
    deploy((chart) => {
      configMap(chart, "new");
      group(chart, "group", 3);
    });
    await engine.finished();
    expect(engine.names).toEqual(expect.arrayContaining([...before]));
  });

  test("of one chart deployed under two names do not clash", async () => {
    for (const name of ["blue", "green"]) {
      new DeployedChart(name, ({ app }) => {
        const chart = new Chart(app, "chart");
        configMap(chart, "config");
        return chart;
      });
    }
    await engine.finished();
    expect([...engine.names].sort()).toEqual(["blue", "blue/config", "green", "green/config"]);
  });

  test("take the component's provider and dependencies", async () => {
    engine = await Engine.start({ types: { ...types, "pulumi:providers:kubernetes": {} } });
    class Provider extends pulumi.ProviderResource {}
    const provider = new Provider("kubernetes", "cluster");
    const source = new Source("source");
    new DeployedChart(
      "deployed",
      ({ app }) => {
        const chart = new Chart(app, "chart");
        configMap(chart, "config");
        return chart;
      },
      { provider, dependsOn: source },
    );
    await engine.finished();
    expect(engine.resource("deployed/config").provider).toBe("cluster");
    expect(engine.names.indexOf("source")).toBeLessThan(engine.names.indexOf("deployed/config"));
  });

  test.each(["data", "stringData"])("of a Kubernetes Secret have a secret %s", async (key) => {
    deploy(
      (chart) => new ApiObject(chart, "object", { apiVersion: "v1", kind: "Secret", [key]: { password: "hunter2" } }),
    );
    await engine.finished();
    const { inputs, secretOutputs } = engine.resource("deployed/object");
    expect(inputs[key]).toEqual(secret({ password: "hunter2" }));
    expect(secretOutputs).toEqual([key]);
    expect(Object.keys(inputs).sort()).toEqual(["apiVersion", "kind", "metadata", key].sort());
  });

  test("of a Kubernetes Secret with data and stringData have both secret", async () => {
    const both = { data: { user: "YQ==" }, stringData: { password: "hunter2" } };
    deploy((chart) => new ApiObject(chart, "object", { apiVersion: "v1", kind: "Secret", ...both }));
    await engine.finished();
    const { inputs, secretOutputs } = engine.resource("deployed/object");
    expect(inputs).toMatchObject({ data: secret(both.data), stringData: secret(both.stringData) });
    expect(secretOutputs).toEqual(["data", "stringData"]);
  });

  test("of a kind Secret in another API group are not changed", async () => {
    engine = await Engine.start({ types: { ...types, "kubernetes:example.com/v1:Secret": {} } });
    deploy(
      (chart) => new ApiObject(chart, "object", { apiVersion: "example.com/v1", kind: "Secret", data: { a: "b" } }),
    );
    await engine.finished();
    expect(engine.resource("deployed/object").inputs.data).toEqual({ a: "b" });
  });

  test("are found by the construct that they come from", async () => {
    let inner: Construct | undefined;
    const deployed = deploy((chart) => {
      configMap(chart, "alone");
      inner = group(chart, "group", 2);
    });
    const names = (construct: Construct): Promise<(string | undefined)[]> =>
      promiseOf(pulumi.all(deployed.resourcesOf(construct).map(({ metadata }) => metadata.name)));
    expect(await names(inner!)).toEqual(["group-0", "group-1"]);
    expect(await names(deployed.chart)).toEqual(["alone", "group-0", "group-1"]);
    expect(deployed.resourcesOf(new Construct(undefined as unknown as Construct, ""))).toEqual([]);
  });

  test.each<[what: string, data: (outputs: OutputTokens) => Json, expected: Json]>([
    ["a token", (outputs) => base64(outputs.string(pulumi.output("value"))), base64("value")],
    ["a token in a text", (outputs) => base64(`a ${outputs.string(pulumi.output("value"))}`), base64("a value")],
    ["plain text", () => base64("value"), base64("value")],
  ])("of a Kubernetes Secret's data hold %s in base64", async (_, data, expected) => {
    deploy(
      (chart, { outputs }) =>
        new ApiObject(chart, "secret", { apiVersion: "v1", kind: "Secret", data: { key: data(outputs) } }),
    );
    await engine.finished();
    expect(engine.resource("deployed/secret").inputs.data).toEqual(secret({ key: expected }));
  });

  test("of a construct that was renamed keep what they were", async () => {
    deploy((chart, { renamed }) => {
      const part = new Construct(chart, "part");
      configMap(part, "config");
      renamed(part, "former/place");
    });
    await engine.finished();
    expect(engine.resource("deployed/part/config").aliases).toEqual(["name deployed/former/place/config"]);
  });

  test("give out what the cluster says of them", async () => {
    const ingress = [{ ip: "192.0.2.1" }];
    engine = await Engine.start({
      types: { ...types, "kubernetes:core/v1:Service": { status: { loadBalancer: { ingress } } } },
    });
    let service: ApiObject | undefined;
    const deployed = deploy((chart) => {
      service = new ApiObject(chart, "service", { apiVersion: "v1", kind: "Service" });
      group(chart, "part", 2);
    });
    const status = deployed.statusOf<{ loadBalancer: { ingress: { ip: string }[] } }>(service!);
    expect((await promiseOf(status))?.loadBalancer.ingress[0]?.ip).toBe("192.0.2.1");
    expect(() => deployed.statusOf(deployed.chart)).toThrow("chart has 3 API objects, not one");
    await engine.finished();
  });
});

test("what comes after the chart is deployed is refused, and not lost without a word", () => {
  const { chart } = deploy((into) => configMap(into, "first"));
  expect(messageOf(() => configMap(chart, "late"))).toBe('Cannot add children to "chart" during synthesis');
  expect(chart.node.children).toHaveLength(1);
});
