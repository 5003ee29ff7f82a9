import type { ManagedValues } from "../../constructs/platform";
import type { Problem } from "../../constructs/secrets";
import { shellCommand } from "../../constructs/shell-command";
import type { Environment } from "./environment";
import { projectName } from "./project";

/** Values of managed secrets as the stack's config has them: the first Aidbox's by name, each tenant's below its name. */
export type StackValues = Readonly<Record<string, string | ManagedValues>>;

/** The values of one Aidbox. Those of another are not among them, also where their secrets have one name. */
export function valuesFor({ tenant }: Pick<Environment, "tenant">, values: StackValues): ManagedValues {
  const own = tenant === undefined ? values : (values[tenant] ?? {});
  return Object.fromEntries(
    Object.entries(own).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );
}

/** The managed secrets of a stack that have no value. */
export function missingValueProblems(environment: Environment, values: StackValues): Problem[] {
  return [environment, ...environment.tenants].flatMap((each) => {
    const own = valuesFor(each, values);
    return each.table.secrets.flatMap(({ source, name, mayBeEmpty }): Problem[] => {
      if (source !== "managed" || (own[name] !== undefined && (own[name] !== "" || mayBeEmpty === true))) return [];
      const [what, otherwise] =
        own[name] === undefined ? ["is missing", ""] : ["is empty", `, or write mayBeEmpty: true for ${name}`];
      return [{ key: valueKey(each, name), message: `${what}: run \`${setValue(each, name)}\`${otherwise}` }];
    });
  });
}

/** Config key of a managed secret's value, without the project's prefix. */
export function valueKey({ tenant }: Pick<Environment, "tenant">, secret: string): string {
  return tenant === undefined ? `values.${secret}` : `values.${tenant}.${secret}`;
}

/** Command that sets a managed secret's value; it reads the value from its standard input. */
export function setValue(environment: Pick<Environment, "tenant">, secret: string): string {
  return shellCommand(
    "pulumi",
    "config",
    "set",
    "--secret",
    "--path",
    `${projectName}:${valueKey(environment, secret)}`,
  );
}
