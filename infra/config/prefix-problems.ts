import type { Problem } from "../../constructs/secrets";
import { projectName, secretKeys } from "./project";
import { environmentSchema } from "./schema";
import { suggest } from "./suggest";

/**
 * Keys that stand in a stack's file without the project's prefix, or with one that is nearly it.
 *
 * @returns misnamed: the keys that they would be, which are not missing
 */
export function prefixProblems(config: Readonly<Record<string, unknown>>): {
  readonly problems: readonly Problem[];
  readonly misnamed: readonly string[];
} {
  const known = [...Object.keys(environmentSchema.shape), ...secretKeys];
  const found = Object.keys(config).flatMap((written) => {
    const [prefix = "", key] = written.includes(":") ? written.split(":") : [projectName, undefined];
    const name = known.find((each) => each === (key ?? written));
    const isOurs = key === undefined || (prefix !== projectName && suggest(prefix, [projectName]) !== undefined);
    return name !== undefined && isOurs ? [{ written, name }] : [];
  });
  return {
    problems: found.map(({ written, name }) => ({
      key: "",
      message: `${written}: lacks the prefix of this project: write ${projectName}:${name}`,
    })),
    misnamed: found.map(({ name }) => name),
  };
}
