import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";

// A plan of twice the size takes twice the work: by how often each piece of code runs, whatever else the machine does.

type Counts = Readonly<Record<string, number>>;

const repository = resolve(__dirname, "../../..");

/** V8 counts exactly where it compiles nothing anew and forgets no code. */
const exact = ["--no-opt", "--no-maglev", "--no-flush-bytecode", "--no-lazy-feedback-allocation"];

/** Counts for plans of so many secrets and tenants. */
function countWork(...sizes: readonly `${number}x${number}`[]): readonly Counts[] {
  const program = join(__dirname, "count-work.ts");
  const output = execFileSync(
    process.execPath,
    [...exact, "--require", "./test/jest/typescript.js", program, ...sizes],
    {
      cwd: repository,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    },
  );
  return JSON.parse(output) as Counts[];
}

let bySecrets: readonly Counts[];
let byTenants: readonly Counts[];
beforeAll(() => {
  const counts = countWork("32x0", "64x0", "128x0", "1x3", "1x6", "1x12");
  [bySecrets, byTenants] = [counts.slice(0, 3), counts.slice(3)];
});

/** How the growth from the second size to the third is to that from the first to the second: 2 where it is linear, else up to 4. */
function growth([first = 0, second = 0, third = 0]: readonly number[]): number {
  return (third - second) / Math.max(1, second - first);
}

const sum = (counts: Counts): number => Object.values(counts).reduce((one, other) => one + other, 0);

test("the work grows with the secrets", () => {
  expect(growth(bySecrets.map(sum))).toBeLessThan(2.05);
});

test("none of this project's code grows faster than the secrets", () => {
  const places = Object.keys(bySecrets[2]!);
  const own = places.filter((place) => /\/(constructs|infra)\//.test(place) && !place.includes("node_modules"));
  expect(own.length).toBeGreaterThan(500);
  const faster = own.filter((place) => {
    const counts = bySecrets.map((each) => each[place] ?? 0);
    return counts[2]! > 1000 && growth(counts) > 3;
  });
  expect(faster).toEqual([]);
});

test("the work grows with the tenants", () => {
  expect(growth(byTenants.map(sum))).toBeLessThan(2.03); // 2.002 as it is
});
