import { checkEnvironment } from "../../../infra/config/check-environment";
import { type Plan, recordPlan } from "../../../infra/plan/record";
import { formatTree } from "../../../infra/plan/tree";

/** Names as long as they may be. */
const long = (name: string, length: number): string => name.padEnd(length, "x");

interface Size {
  readonly secrets: number;
  readonly tenants: number;
  readonly longNames?: boolean;
}

function plan({ secrets, tenants, longNames = false }: Size): Promise<Plan> {
  const name = (text: string): string => (longNames ? long(text, 60) : text);
  const rows = (of: string): object[] =>
    Array.from({ length: secrets }, (_, index) => ({
      name: name(`secret-${index}`),
      path: name(`${of}/secret-${index}/`).replace(/\/$/, ""),
      source: ["seeded", "external"][index % 2],
    }));
  return recordPlan(
    checkEnvironment("dev", {
      development: true,
      kubeContext: name("kind-aidbox"),
      secrets: rows("aidbox"),
      vault: { mode: "dev" },
      ...(longNames ? { namespaces: { aidbox: long("health", 63) } } : {}),
      aidbox: { image: `${name("registry.example/aidbox")}:2605`, ...(longNames ? { name: long("fhir", 40) } : {}) },
      tenants: Array.from({ length: tenants }, (_, index) => ({
        name: longNames ? long(`clinic-${index}-`, 47) : `clinic-${index}`,
        secrets: rows(`clinic-${index}`),
      })),
    }),
  );
}

const sizes: Size[] = [1, 7, 50].flatMap((secrets, index) =>
  [0, 3].map((tenants) => ({ secrets, tenants, longNames: (index + tenants) % 2 === 1 })),
);

test.each(sizes)(
  "no line of $secrets secrets and $tenants tenants, long names $longNames, is wider than 80",
  async (size) => {
    const lines = formatTree(await plan(size), 80).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.length).toBeGreaterThan(30);
  },
);

/** The tree's texts, each in one line, as a reader joins them. */
function textsIn(tree: string): string {
  return tree.replace(/\n[│ ]*[│ ]{4}(?=[^│├└ ])/g, "");
}

test("what is cut at the edge is whole when its lines are joined", async () => {
  const size = { secrets: 1, tenants: 0, longNames: true };
  const wide = formatTree(await plan(size), 1000);
  const narrow = formatTree(await plan(size), 80);
  expect(narrow.split("\n").length).toBeGreaterThan(wide.split("\n").length);
  const letters = (tree: string): string => textsIn(tree).replace(/[│├└─\s]/g, "");
  expect(letters(narrow)).toBe(letters(wide));
});

test("has each resource once, where no kind has many", async () => {
  const size = { secrets: 7, tenants: 3 };
  const { resources } = await plan(size);
  const lines = formatTree({ resources, outputs: (await plan(size)).outputs }, 1000).split("\n");
  expect(lines).toHaveLength(resources.length - 1); // all but the stack
  expect(new Set(lines.map((line) => line.replace(/^[│├└─ ]*/, ""))).size).toBe(lines.length);
});

test("counts the rest of many of one kind", async () => {
  const lines = formatTree(await plan({ secrets: 50, tenants: 0 }), 80).split("\n");
  const secrets = lines.filter((line) => line.includes("Vault secret"));
  expect(secrets).toHaveLength(20);
  expect(secrets.at(-1)).toMatch(/─ and 6 more: Vault secret$/);
});

test("tells all of as many as it tells", async () => {
  const lines = formatTree(await plan({ secrets: 40, tenants: 0 }), 80).split("\n");
  expect(lines.filter((line) => line.includes("Vault secret"))).toHaveLength(20);
  expect(lines.join("\n")).not.toContain("more: ");
});
