import { createHash } from "node:crypto";
import type { Environment } from "../../../infra/config/environment";
import { writePage } from "../../../infra/plan/page";
import { recordPlan } from "../../../infra/plan/record";
import { waysOf } from "../../../infra/plan/ways";
import { longNamed, ofKeyVault, sized } from "./planned-environments";

async function page(environment: Environment): Promise<string> {
  return writePage(await recordPlan(environment), waysOf(environment), environment);
}

let tenants: string;
beforeAll(async () => {
  tenants = await page(sized(7, 2));
});

const without = (html: string, tag: string): string => html.replaceAll(new RegExp(`<${tag}>[^]*?</${tag}>`, "g"), "");

test("loads nothing, and runs its own script alone", () => {
  const script = /<script>([^]*?)<\/script>/.exec(tenants)![1]!;
  const hash = createHash("sha256").update(script).digest("base64");
  expect(tenants).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'"`);
  expect(tenants.match(/<script/g)).toHaveLength(1);
  expect(tenants).not.toMatch(/ (src|srcset|onclick|onload)=|@import|url\((?!#)|<(link|iframe|img|object)\b/);
  expect([...tenants.matchAll(/href="([^"]*)"/g)].filter(([, href]) => !href!.startsWith("#"))).toEqual([]);
});

test("has links to what is there alone, and no id twice", () => {
  const ids = [...tenants.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!);
  expect(new Set(ids).size).toBe(ids.length);
  const hrefs = [...tenants.matchAll(/ href="#([^"]*)"/g)].map(([, href]) => href!);
  expect(hrefs.length).toBeGreaterThan(50);
  expect(hrefs.filter((href) => !ids.includes(href))).toEqual([]);
});

test("has each secret of each reader, and each resource", async () => {
  const ids = [...tenants.matchAll(/<details id="([^"]*)"/g)].map(([, id]) => id!);
  expect(ids.filter((id) => id.startsWith("secret."))).toHaveLength(3 * 7);
  expect(ids).toContain("secret.tenant-clinic-1.secret-6");
  const { resources } = await recordPlan(sized(7, 2));
  expect(ids.filter((id) => id.startsWith("resource."))).toHaveLength(resources.length - 1); // all but the stack
});

test("follows a secret through all stations, with what the plan makes for each", () => {
  const [, way = ""] = /<details id="secret.tenant-clinic-0.secret-0"[^]*?<ol[^>]*>([^]*?)<\/ol>/.exec(tenants)!;
  const stations = way
    .split("</li>")
    .filter(Boolean)
    .map((station) =>
      station
        .replaceAll("<br>", "\n")
        .replaceAll(/<[^>]*>/g, "")
        .replaceAll("&#39;", "'"),
    );
  expect(stations).toEqual([
    "Store: Vault, UNSAFE: dev mode in vault\nsecret/data/clinic-0/secret-0, key secret-0, source seeded\n" +
      "Helm release vault/vault, Vault secret secret/clinic-0/secret-0",
    "Who may read: policy aidbox-clinic-0, role aidbox-clinic-0 of auth/kubernetes, for aidbox-clinic-0/aidbox\n" +
      "Vault policy aidbox-clinic-0, Vault role aidbox-clinic-0, Vault auth mount auth/kubernetes",
    "Provider: Vault CSI provider, in vault-csi-provider\nHelm release vault-csi-provider/vault-node",
    "Driver: CSI driver, in kube-system; a change arrives within 30 s\n" +
      "Helm release kube-system/csi, SecretProviderClass aidbox-clinic-0/aidbox-vault-secrets",
    "File: /run/vault-secrets/secret-0",
    "Who reads: aidbox-clinic-0/aidbox, 1 × healthsamurai/aidboxone:2605\n" +
      "Deployment aidbox-clinic-0/aidbox, Deployment aidbox-clinic-0/aidbox-republisher",
  ]);
});

test("names a component in the place of all that it is made of", () => {
  const entry = /<b class="mono">aidbox\/aidbox<\/b> <span>1 ×[^]*?<\/dl>/.exec(tenants)![0];
  expect(entry).toMatch(/>Component vault-access</);
  expect(entry).not.toContain(">Vault role");
});

test("escapes what the config brings", async () => {
  const environment = sized(1, 0);
  const hostile = { ...environment, kubeContext: `<script>alert("1")</script>'&`, name: "</style><b>" };
  const html = writePage(await recordPlan(environment), waysOf(hostile), hostile);
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(without(without(html, "script"), "style")).not.toMatch(/<b>(?!(Store|Who|Provider|Driver|File|[\w ]+<\/b>))/);
});

test.each([
  ["Key Vault", ofKeyVault],
  ["long names", longNamed],
])("has a page for %s too", async (_, make) => {
  expect(await page(make())).toContain('<details id="secret.aidbox.');
});

test("is as much longer as there are more secrets, and no more", async () => {
  const [few, many] = await Promise.all([page(sized(200, 0)), page(sized(400, 0))]);
  expect(many.length / few.length).toBeLessThan(2);
});
