import type { SecretSpec } from "../../../constructs/secrets";
import { keypairProblems } from "../../../infra/config/keypair-problems";

const client: SecretSpec = { name: "client-secret", path: "health/client" };
const row = "{ name: auth-keys, path: health/auth-keys, keypair: rsa, source: seeded }";
const pair: SecretSpec = { name: "auth-keys", path: "health/auth-keys", keypair: "ec", source: "external" };

function problemsOf(rows: readonly SecretSpec[], aidbox: object): string[] {
  return keypairProblems(rows, aidbox).map(({ key, message }) => `${key}: ${message}`);
}

const refused = (key: string, pods: number): string =>
  `aidbox.${key}: ${pods} pods: without a keypair that they share each refuses the others' tokens: add the row ${row}`;

it.each<{ aidbox: object; problems: string[] }>([
  { aidbox: {}, problems: [] },
  { aidbox: { replicas: 1 }, problems: [] },
  { aidbox: { replicas: 3 }, problems: [refused("replicas", 3)] },
  { aidbox: { autoscaling: { maxReplicas: 4 } }, problems: [refused("autoscaling", 4)] },
  { aidbox: { autoscaling: { minReplicas: 1, maxReplicas: 1 } }, problems: [] },
])("several pods need a keypair: $aidbox", ({ aidbox, problems }) => {
  expect(problemsOf([client], aidbox)).toEqual(problems);
  expect(problemsOf([client, pair], aidbox)).toEqual([]);
});

it("refuses halves in rows of their own and in plain settings, which could be of two pairs", () => {
  const half: SecretSpec = { ...client, name: "half", environment: "BOX_SECURITY_AUTH_KEYS_PRIVATE" };
  expect(problemsOf([client, half], { replicas: 3, environment: { BOX_SECURITY_AUTH_KEYS_PUBLIC: "PEM" } })).toEqual([
    'secrets[1].environment: "BOX_SECURITY_AUTH_KEYS_PRIVATE": is a part of a keypair, which changes as one: ' +
      `write one row in place of its parts, ${row}`,
    "aidbox.environment.BOX_SECURITY_AUTH_KEYS_PUBLIC: is a part of a keypair, which changes as one: " +
      `leave it out, and add the row ${row}`,
  ]);
});
