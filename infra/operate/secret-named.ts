import type { Secret } from "../../constructs/secrets";
import { suggest } from "../../constructs/suggest";
import type { Environment } from "../config/environment";
import { InvalidRequestError } from "./errors";

/**
 * The table's secret of a name.
 *
 * @throws InvalidRequestError that lists the table's names
 */
export function secretNamed({ name: environment, table }: Environment, name: string): Secret {
  const secret = table.secrets.find((each) => each.name === name);
  if (secret !== undefined) return secret;
  const names = [...table.secrets, ...table.keypairs].map((each) => each.name);
  const near = suggest(name, names);
  const hint = near === undefined ? "it has" : `did you mean ${near}? It has`;
  throw new InvalidRequestError(`environment "${environment}" has no secret "${name}": ${hint} ${names.join(", ")}`);
}
