import { vaultPaths } from "../config/stores/vault/server";
import { objectNames } from "../../constructs/kubernetes/names";
import { App } from "cdk8s";
import {
  referencesIn,
  secretFields,
  secretReference,
  type SecretReference,
  type SecretResourceType,
} from "../../constructs/fhir";
import { isMadeByStore, type Secret, SecretTable } from "../../constructs/secrets";
import { readPolicy } from "../../constructs/stores/vault/policy";
import { aidboxChart } from "../stack/charts";
import { loginMount, podLogin } from "../config/stores/vault/login";
import { republishes } from "../config/rotation-bound";
import type { VaultEnvironment } from "../config/environment";
import { ownCommand } from "../config/command-line";
import { secretNamed } from "./secret-named";

/** One station of a secret's way. */
export interface Station {
  readonly title: string;
  readonly lines: readonly string[];
}

/** A secret's way from Vault to the resource that refers to it. */
export interface Explanation {
  readonly secret: string;
  readonly stations: readonly Station[];
  /** What to paste into the resource that uses the secret; none where it has no scope, or its type has no such field. */
  readonly reference: { readonly fields: readonly string[]; readonly element: SecretReference } | undefined;
}

/**
 * Follows one secret from Vault's path to the file and the resource that refers to it. Asks nothing but the config.
 *
 * @throws InvalidRequestError where the table has no such secret
 */
export function explain(environment: VaultEnvironment, name: string): Explanation {
  const { table, vault, namespaces, aidbox } = environment;
  const secret = secretNamed(environment, name);
  const alone = new SecretTable({ mountPath: table.mountPath, secrets: [secret] });
  const chart = aidboxChart(new App(), environment);
  const stations: Station[] = [
    {
      title: isMadeByStore(secret) ? "Vault: database engine" : "Vault: KV v2",
      lines: [`${vaultPaths(environment).operator(secret)}, key ${secret.key}`, `source: ${secret.source}`],
    },
    { title: `Vault: policy ${vault.role}`, lines: readPolicy(alone, vaultPaths(environment)).trimEnd().split("\n") },
    {
      title: `Vault: role ${vault.role} of auth/${loginMount(environment)} (${podLogin(environment).method})`,
      lines: [
        `ServiceAccount ${namespaces.aidbox}/${aidbox.name}`,
        `audience ${vault.audience}, tokens live ${vault.tokenTtl}`,
      ],
    },
    {
      title: `SecretProviderClass ${namespaces.aidbox}/${chart.secretProviderClass.name}`,
      lines: [
        `objectName: ${secret.file}`,
        `secretPath: ${vaultPaths(environment).data(secret)}`,
        `secretKey:  ${secret.key}`,
      ],
    },
    {
      title: "Secrets Store CSI driver",
      lines: [
        `publishes a change within ${environment.rotationBoundSeconds} s`,
        ...(secret.source === "managed" ? [] : [`or at once, by \`${rotation(environment, secret)}\``]),
      ],
    },
    { title: `Pods of Deployment ${namespaces.aidbox}/${aidbox.name}`, lines: arrivals(environment, secret) },
    ...(secret.scope === undefined
      ? []
      : [
          {
            title: "vault-config.json",
            lines: [`"${secret.name}" is for ${secret.scope.resourceType}/${secret.scope.id ?? "*"}`],
          },
        ]),
    ...initBundleStation(environment, name),
  ];
  return { secret: name, stations, reference: referenceTo(table, secret) };
}

/** The command that rotates it: what makes its value, or brings it. */
function rotation(environment: VaultEnvironment, secret: Secret): string {
  const { name, source, pair } = secret;
  if (pair !== undefined) return ownCommand("rotate", environment, pair);
  if (isMadeByStore(secret)) return ownCommand("rotate", environment, name);
  return ownCommand("rotate", environment, name, ...(source === "seeded" ? ["--generate", "32"] : ["--stdin"]));
}

/** The resources of the Init Bundle that refer to the secret. */
function initBundleStation({ initBundle }: VaultEnvironment, name: string): Station[] {
  const lines = (initBundle?.resources ?? []).flatMap((resource) =>
    referencesIn({ ...resource })
      .filter(({ secret }) => secret === name)
      .map(({ field }) => `${resource.resourceType}/${resource.id}: ${field}`),
  );
  return lines.length === 0 ? [] : [{ title: "Init Bundle", lines }];
}

function arrivals(environment: VaultEnvironment, secret: Secret): string[] {
  const { table, aidbox } = environment;
  const follows = republishes(environment) ? "a change rolls the pods" : "a change needs a roll of the pods";
  const file = `file ${table.filePath(secret)}`;
  if (secret.environment === undefined) return [file];
  return [file, `variable ${secret.environment}, by the Secret ${objectNames(aidbox.name).syncedSecret}; ${follows}`];
}

function referenceTo(table: SecretTable, { name, scope }: Secret): Explanation["reference"] {
  if (scope === undefined || !(scope.resourceType in secretFields)) return undefined;
  const resourceType = scope.resourceType as SecretResourceType;
  const fields = secretFields[resourceType];
  const id = scope.id ?? "any";
  return { fields, element: secretReference(table, { resourceType, id, field: fields[0] }, name) };
}
