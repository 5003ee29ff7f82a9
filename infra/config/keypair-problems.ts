import { minReplicasOf } from "../../constructs/kubernetes/aidbox/defaults";
import { type Problem, type SecretSpec, signsTokens } from "../../constructs/secrets";
import { tokenKeyVariables } from "../../constructs/secrets/keypair";
import { isSensitiveName } from "../../constructs/secrets/plain-secret";

/**
 * Where several pods would refuse each other's tokens, and where the keys of tokens are not one row: halves in rows of their
 * own could be of two pairs, with which Aidbox does not start.
 *
 * @param secrets rows of the table
 * @param aidbox the keys below `aidbox`, as the config has them
 */
export function keypairProblems(secrets: readonly SecretSpec[], aidbox: unknown): Problem[] {
  const { environment, replicas, autoscaling } = asObject(aidbox);
  const first = secrets[0]?.path ?? "aidbox/client";
  const folder = first.includes("/") ? first.slice(0, first.lastIndexOf("/")) : first;
  const row = `{ name: auth-keys, path: ${folder}/auth-keys, keypair: rsa, source: seeded }`;
  const problems: Problem[] = [];
  for (const [index, { environment: variable }] of secrets.entries()) {
    if (variable === undefined || !tokenKeyVariables.includes(variable)) continue;
    const message = `"${variable}": is a part of a keypair, which changes as one: write one row in place of its parts, ${row}`;
    problems.push({ key: `secrets[${index}].environment`, message });
  }
  for (const variable of tokenKeyVariables.filter((each) => each in asObject(environment))) {
    const nature = isSensitiveName(variable) ? "is secret and changes as one" : "changes as one";
    const message = `is a part of a keypair, which ${nature}: leave it out, and add the row ${row}`;
    problems.push({ key: `aidbox.environment.${variable}`, message });
  }
  if (problems.length > 0 || secrets.some(({ keypair }) => signsTokens(keypair))) return problems;
  const { maxReplicas, minReplicas } = asObject(autoscaling) as { maxReplicas?: number; minReplicas?: number };
  const [key, pods] =
    maxReplicas === undefined
      ? ["replicas", replicas]
      : ["autoscaling", Math.max(maxReplicas, minReplicasOf(minReplicas === undefined ? {} : { minReplicas }))];
  if (typeof pods !== "number" || !Number.isInteger(pods) || pods <= 1) return [];
  const message = `${pods} pods: without a keypair that they share each refuses the others' tokens: add the row ${row}`;
  return [{ key: `aidbox.${key}`, message }];
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
