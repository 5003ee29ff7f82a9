import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../infra/config/environment";
import { drawPicture } from "../../../infra/plan/picture";
import { fit, fonts, widthOf } from "../../../infra/plan/svg";
import { waysOf } from "../../../infra/plan/ways";
import { drawDocumented, pictures } from "./documented-pictures";
import { longNamed, ofKeyVault, ofOthers, sized } from "./planned-environments";
import { type Drawn, readSvg } from "./read-svg";

const draw = (environment: Environment): readonly Drawn[] => readSvg(drawPicture(waysOf(environment)));
const textsOf = (drawn: readonly Drawn[]): string[] =>
  drawn.filter(({ name }) => name === "text").map(({ text }) => text);
const classOf = ({ attributes }: Drawn): string => attributes.class ?? "";

interface Box {
  readonly kind: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxesOf(drawn: readonly Drawn[], kinds: RegExp): Box[] {
  return drawn
    .filter((each) => each.name === "rect" && kinds.test(classOf(each)))
    .map((each) => {
      const [x, y, width, height] = ["x", "y", "width", "height"].map((key) => Number(each.attributes[key]));
      return { kind: classOf(each), left: x!, top: y!, right: x! + width!, bottom: y! + height! };
    });
}

const apart = (one: Box, other: Box): boolean =>
  one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
const within = (one: Box, other: Box): boolean =>
  one.left >= other.left && one.right <= other.right && one.top >= other.top && one.bottom <= other.bottom;

const environments: [what: string, make: () => Environment][] = [
  ...[1, 7, 50].flatMap((secrets) =>
    [0, 3].map((tenants): [string, () => Environment] => [
      `${secrets} secrets and ${tenants} tenants`,
      () => sized(secrets, tenants),
    ]),
  ),
  ["12 tenants", () => sized(2, 12)],
  ["long names", longNamed],
  ["Key Vault", ofKeyVault],
  ["parts of others", ofOthers],
];

describe.each(environments)("the picture of %s", (_, make) => {
  const environment = make();
  const ways = waysOf(environment);
  const drawn = draw(environment);

  test("has no two boxes that overlap, but those that lie within one", () => {
    const boxes = boxesOf(drawn, /^(ground|store|shared|own|cell)/);
    const clashes = boxes.flatMap((one, index) =>
      boxes.slice(index + 1).filter((other) => !apart(one, other) && !within(one, other) && !within(other, one)),
    );
    expect(clashes).toEqual([]);
  });

  test("has no text that leaves its box", () => {
    const boxes = boxesOf(drawn, /^(ground|store|shared|own|cell)/);
    const texts = drawn.filter(({ name }) => name === "text");
    const leaving = texts.filter(({ attributes, text }) => {
      const [x, y] = [Number(attributes.x), Number(attributes.y)];
      const font = Object.values(fonts).find(({ name }) => attributes.class!.split(" ").includes(name))!;
      const width = widthOf(text, font);
      const isRight = attributes.class!.split(" ").includes("source");
      const box = {
        kind: "",
        left: isRight ? x - width : x,
        right: isRight ? x : x + width,
        top: y - font.size,
        bottom: y + 3,
      };
      const around = boxes.filter((each) => x >= each.left && x <= each.right && y >= each.top && y <= each.bottom);
      return !around.every((each) => within(box, each));
    });
    expect(texts.length).toBeGreaterThan(10);
    expect(leaving).toEqual([]);
  });

  test("has an arrow from station to station for each row, and a place for each way", () => {
    const cells = boxesOf(drawn, /^cell/).length;
    expect(drawn.filter((each) => each.attributes["marker-end"] !== undefined)).toHaveLength((cells / 2) * 5);
    const heads = textsOf(drawn).flatMap((text) => /^(\d+) (?:×|secrets)/.exec(text)?.[1] ?? []);
    const grouped = heads.reduce((sum, head) => sum + Number(head), 0);
    const all = ways.readers.reduce((sum, reader) => sum + reader.ways.length, 0);
    expect(grouped + cells / 2 - heads.length).toBe(all);
  });
});

test("shows a secret's way through all its stations", () => {
  expect(textsOf(draw(sized(1, 0)))).toEqual([
    "The ways of the secrets of dev",
    "cluster kind-aidbox",
    "Vault",
    "UNSAFE: dev mode in vault",
    "Vault CSI provider",
    "in vault-csi-provider",
    "CSI driver",
    "in kube-system;",
    "a change arrives",
    "within 30 s",
    "Who may read",
    "Files in the pods",
    "Who reads",
    "Aidbox",
    "/run/vault-secrets/",
    "policy aidbox",
    "role aidbox",
    "of auth/kubernetes, for",
    "aidbox/aidbox",
    "aidbox/aidbox",
    "1 × healthsamurai/aidboxone:2605",
    "secret-0",
    "seeded",
    "secret/data/aidbox/secret-0",
    "secret-0",
    "a file only",
    "seeded: made once, at random",
  ]);
});

test("names all of fifty secrets, in groups", () => {
  const shown = textsOf(draw(sized(50, 0))).join(" ");
  for (let index = 0; index < 50; index++) expect(shown).toMatch(new RegExp(`secret-${index}\\b`));
  expect(shown).toContain("17 × aidbox/…");
});

test("grows with readers, and not with secrets", () => {
  const height = (secrets: number, tenants: number): number =>
    Number(draw(sized(secrets, tenants))[0]!.attributes.height);
  expect(height(400, 0)).toBeLessThan(height(30, 0));
  expect(height(3, 40) / height(3, 20)).toBeLessThan(2.1);
});

test("has light and dark colours for each kind of its parts", () => {
  const style = draw(sized(1, 0)).find(({ name }) => name === "style")!.text;
  const [light = "", dark = ""] = style.split("@media (prefers-color-scheme:dark)");
  const kindsIn = (css: string): string[] =>
    [...css.matchAll(/([.\w, ]+)\{(?:fill|stroke):#/g)].map(([, kind]) => kind!);
  expect(kindsIn(dark).length).toBeGreaterThan(8);
  expect(kindsIn(light)).toEqual(kindsIn(dark));
});

describe("a text too long for its place", () => {
  test("is cut in its middle, whole in its tooltip", () => {
    const name = "w".repeat(40) + "-end";
    expect(fit(name, fonts.name, 100)).toMatch(/^w+…w*-end$/);
    const { readers } = waysOf(longNamed());
    const tooltips = draw(longNamed())
      .filter((each) => each.name === "title")
      .map(({ text }) => text);
    expect(tooltips).toContain(readers[0]!.ways[0]!.secret.name);
  });

  test.each(["short", "", "漢字漢字漢字漢字漢字漢字漢字漢字", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦"])("never gets wider than that: %s", (text) => {
    for (const width of [20, 60, 200])
      expect(widthOf(fit(text, fonts.small, width), fonts.small)).toBeLessThanOrEqual(width);
  });
});

test.each(["dev", "tenants"] as const)(
  "the documentation has this picture of %s, by `npm run docs:pictures`",
  (name) => {
    expect(readFileSync(join(pictures, `plan-${name}.svg`), "utf8")).toBe(drawDocumented(name));
  },
);

test.each(["light", "dark"])("the documentation has a small picture of the page: %s", (scheme) => {
  const picture = readFileSync(join(pictures, `page-${scheme}.png`));
  expect(picture.subarray(1, 4).toString()).toBe("PNG");
  expect(picture.length).toBeLessThan(200_000);
});
