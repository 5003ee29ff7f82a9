import type { Problem } from "../../constructs/secrets";
import { suggest } from "../../constructs/suggest";
import { type Place, placeText } from "./place";
import { projectName, secretKeys } from "./project";
import { environmentSchema } from "./schema";

/**
 * Keys that stand in a stack's file without the project's prefix, or with one that is nearly it.
 *
 * @param placeOf where a key stands, by the name that is written
 * @returns misnamed: the keys that they would be, which are not missing
 */
export function prefixProblems(
  config: Readonly<Record<string, unknown>>,
  placeOf: (written: string) => Place | undefined,
): {
  readonly problems: readonly Problem[];
  readonly misnamed: readonly string[];
} {
  const known = [...Object.keys(environmentSchema.shape), ...secretKeys];
  const found = Object.keys(config).flatMap((written) => {
    const [prefix = "", key] = written.includes(":") ? written.split(":") : [projectName, undefined];
    const name = known.find((each) => each === (key ?? written));
    const isOurs = key === undefined || (prefix !== projectName && isNearly(prefix));
    return name !== undefined && isOurs ? [{ written, name }] : [];
  });
  const nested = nestedIn(config);
  return {
    problems: [
      ...found.map(({ written, name }) => ({
        key: "",
        message: `${written}${placeText(placeOf(written))}: lacks the prefix of this project: write ${projectName}:${name}`,
      })),
      ...nested.slice(0, 1).map((first) => ({
        key: "",
        message: `${projectName}${placeText(placeOf(projectName))}: is the prefix of each key: write ${projectName}:${first}`,
      })),
    ],
    misnamed: [...found.map(({ name }) => name), ...nested],
  };
}

/** Whether somebody may have meant this project's prefix by another. */
function isNearly(prefix: string): boolean {
  return suggest(prefix, [projectName]) !== undefined || projectName.startsWith(`${prefix}-`);
}

/** Keys below the prefix, where it stands as a key by itself. */
function nestedIn(config: Readonly<Record<string, unknown>>): string[] {
  const value = config[projectName];
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}
