import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkEnvironment } from "../../../infra/config/check-environment";
import { ConfigError } from "../../../infra/config/config-error";
import type { Environment } from "../../../infra/config/environment";

const folder = mkdtempSync(join(tmpdir(), "init-bundle-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const clientRow = { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } };
const client = { resourceType: "Client", id: "basic", grant_types: ["basic"] };
const reference = {
  extension: [
    { url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "masked" },
    { url: "http://health-samurai.io/fhir/secret-reference", valueString: "client-secret" },
  ],
};

function check(resources: unknown, change: Record<string, unknown> = {}, aidbox: object = {}): Environment {
  const config = {
    development: true,
    kubeContext: "kind-aidbox",
    secrets: [clientRow],
    vault: { mode: "dev" },
    aidbox: { image: "healthsamurai/aidboxone:2605", initBundle: { resources }, ...aidbox },
    ...change,
  };
  return checkEnvironment("dev", config, undefined, undefined, folder);
}

function problemsOf(...args: Parameters<typeof check>): string[] {
  try {
    check(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  throw new Error("the config was taken for a valid one");
}

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return name;
}

describe("a resource", () => {
  it("takes its references from names of secrets by field, or has them already", () => {
    const expected = { ...client, _secret: reference };
    expect(check([{ resource: client, secrets: { secret: "client-secret" } }]).initBundle).toEqual({
      resources: [expected],
    });
    expect(check([{ resource: expected }]).initBundle).toEqual({ resources: [expected] });
  });

  it.each([
    { name: "client.json", content: JSON.stringify(client) },
    { name: "client.yaml", content: "resourceType: Client\nid: basic\ngrant_types: [basic]\n" },
  ])("comes from $name beside Pulumi.yaml too", ({ name, content }) => {
    const entry = { file: file(name, content), secrets: { secret: "client-secret" } };
    expect(check([entry]).initBundle).toEqual({ resources: [{ ...client, _secret: reference }] });
  });

  it("may fail alone in a batch", () => {
    const initBundle = { type: "batch", resources: [{ resource: client }] };
    expect(check([], {}, { initBundle }).initBundle).toEqual({ type: "batch", resources: [client] });
  });
});

it("is none where none is asked for", () => {
  expect(check([], {}, { initBundle: undefined })).not.toHaveProperty("initBundle");
});

const list = "aidbox.initBundle.resources";
const scopeFix = 'Write scope: { resourceType: "Client", id: "other" }, or leave out its id for every Client';

it.each<{ why: string; resources: unknown; problems: string[] }>([
  {
    why: "a reference to a row that is not there",
    resources: [{ resource: client, secrets: { secret: "nobody" } }],
    problems: [`${list}[0]: Client/basic: the table has no secret "nobody". It has: client-secret`],
  },
  {
    why: "a scope that does not fit",
    resources: [{ resource: { ...client, id: "other" }, secrets: { secret: "client-secret" } }],
    problems: [`${list}[0]: Client/other: the scope of the secret "client-secret" is Client/basic. ${scopeFix}`],
  },
  {
    why: "such ones that the resource has itself",
    resources: [{ resource: { ...client, id: "other", _secret: reference } }],
    problems: [`aidbox.initBundle: Client/other: the scope of the secret "client-secret" is Client/basic. ${scopeFix}`],
  },
  {
    why: "a secret in plain text, in a file too",
    resources: [{ file: file("plain.json", JSON.stringify({ ...client, secret: "s3cret" })) }],
    problems: [
      "aidbox.initBundle: Client/basic: secret holds a secret in plain text. Leave it out, and name a secret of the table for it",
    ],
  },
  {
    why: "a resource that is there twice",
    resources: [{ resource: client }, { resource: client }],
    problems: ["aidbox.initBundle: Client/basic: is there twice, and the last one would win: leave one out"],
  },
  {
    why: "files that are not there, no text of a resource, or no resource",
    resources: [
      { file: "nowhere.json" },
      { file: file("broken.json", "{s3cret: [") },
      { file: file("list.json", "[]") },
      { resource: { resourceType: "Client" } },
    ],
    problems: [
      `${list}[0].file: "nowhere.json": is not there: write a path from the folder of Pulumi.yaml`,
      `${list}[1].file: "broken.json": can be read neither as JSON nor as YAML: mend it`,
      `${list}[2].file: "list.json": is no FHIR resource with an id: write its resourceType and its id`,
      `${list}[3].resource: is no FHIR resource with an id: write its resourceType and its id`,
    ],
  },
  {
    why: "an entry of another form",
    resources: [{ bundle: {} }],
    problems: [
      `${list}[0]: {"bundle":{}}: write { resource } with a FHIR resource, or { file } with the path of one, and { secrets }, names of secrets by field`,
    ],
  },
  {
    why: "nothing at all",
    resources: [],
    problems: [`${list}: []: name at least one resource, or leave initBundle out`],
  },
])("refuses $why", ({ resources, problems }) => {
  expect(problemsOf(resources)).toEqual(problems);
});

it("stands beside no other URL of a bundle", () => {
  const rows = [clientRow, { name: "bundle", path: "aidbox/bundle", environment: "BOX_INIT_BUNDLE" }];
  const aidbox = { environment: { BOX_INIT_BUNDLE: "https://example.com/bundle.json" } };
  const message = "is set by this stack, to the bundle of initBundle: leave it out, or leave out initBundle";
  expect(problemsOf([{ resource: client }], { secrets: rows }, aidbox)).toEqual([
    `aidbox.environment.BOX_INIT_BUNDLE: ${message}`,
    `secrets[1].environment: ${message}`,
  ]);
});

it("is of the first Aidbox alone, and each tenant may say one for its own table", () => {
  const entry = { resource: client, secrets: { secret: "client-secret" } };
  const row = { name: "client-secret", path: "north/client", scope: { resourceType: "Client", id: "north" } };
  const tenant = { name: "north", secrets: [row] };
  expect(check([entry], { tenants: [tenant] }).tenants[0]).not.toHaveProperty("initBundle");
  expect(problemsOf([entry], { tenants: [{ ...tenant, aidbox: { initBundle: { resources: [entry] } } }] })).toEqual([
    `tenants[0].${list}[0]: Client/basic: the scope of the secret "client-secret" is Client/north. ` +
      'Write scope: { resourceType: "Client", id: "basic" }, or leave out its id for every Client',
  ]);
  const own = { initBundle: { resources: [{ resource: { ...client, id: "north" }, secrets: entry.secrets }] } };
  const [north] = check([entry], { tenants: [{ ...tenant, aidbox: own }] }).tenants;
  expect(north!.initBundle).toEqual({ resources: [{ ...client, id: "north", _secret: reference }] });
});
