import { App } from "cdk8s";
import { refuseArguments, text } from "../../constructs/check-props";
import { secretFields, type SecretReference, secretReference, type SecretResourceType } from "../../constructs/fhir";
import { referencesIn } from "../../constructs/fhir/check-resource";
import { objectNames } from "../../constructs/kubernetes/names";
import { isMadeByStore, type Secret, type SecretTable } from "../../constructs/secrets";
import { everyKeyOf, withKeyNamed, withKeys } from "../config/all-keys";
import { checkedEnvironment } from "../config/checked-environment";
import { ownCommand } from "../config/command-line";
import type { Environment } from "../config/environment";
import { republishes } from "../config/rotation-bound";
import { aidboxChart } from "../stack/charts";
import { secretNamed } from "./secret-named";
import type { Station } from "./station";
import { operatedStore } from "./stores";

export type { Station } from "./station";

/** A secret's way from its store to the resource that refers to it. */
export interface Explanation {
  /** Name of the secret, or of a keypair's part. */
  readonly secret: string;
  /** From the store to the pod, in the order of the way. */
  readonly stations: readonly Station[];
  /** What to paste into the resource that uses the secret; none where it has no scope, or its type has no such field. */
  readonly reference:
    | {
        /** Fields of the scope's type that take it, as `secret`. */
        readonly fields: readonly string[];
        /** Goes beside the field, under its name with `_` before it. */
        readonly element: SecretReference;
      }
    | undefined;
}

/**
 * Follows one secret from its place in the store to the file and the resource that refers to it. Asks nothing but the config.
 *
 * @throws InvalidRequestError where the table has no such secret
 */
export function explain(configured: Environment, name: string): Explanation {
  refuseArguments("explain", { environment: configured, name }, { environment: checkedEnvironment, name: text });
  const environment = withKeyNamed(configured, name);
  const { table, namespaces, aidbox } = environment;
  const secret = everyKeyOf(environment).find(({ keysOf }) => keysOf === name) ?? secretNamed(environment, name);
  const store = operatedStore(environment);
  const chart = aidboxChart(new App(), withKeys(environment, new Map()));
  const stations: Station[] = [
    ...store.stations(environment, secret),
    {
      title: `SecretProviderClass ${namespaces.aidbox}/${chart.secretProviderClass.name}`,
      lines: store.classLines(environment, secret),
    },
    {
      title: "Secrets Store CSI driver",
      lines: [
        `publishes a change within ${environment.rotationBoundSeconds} s`,
        ...(secret.source === "managed" || store.writes?.(environment, secret) === false
          ? []
          : [`or at once, by \`${rotation(environment, secret)}\``]),
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
function rotation(environment: Environment, secret: Secret): string {
  const { name, source, pair } = secret;
  if (pair !== undefined) return ownCommand("rotate", environment, pair);
  if (isMadeByStore(secret)) return ownCommand("rotate", environment, name);
  return ownCommand("rotate", environment, name, ...(source === "seeded" ? ["--generate", "32"] : ["--stdin"]));
}

/** The resources of the Init Bundle that refer to the secret. */
function initBundleStation({ initBundle }: Environment, name: string): Station[] {
  const lines = (initBundle?.resources ?? []).flatMap((resource) =>
    referencesIn({ ...resource })
      .filter(({ secret }) => secret === name)
      .map(({ field }) => `${resource.resourceType}/${resource.id}: ${field}`),
  );
  return lines.length === 0 ? [] : [{ title: "Init Bundle", lines }];
}

function arrivals(environment: Environment, secret: Secret): string[] {
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
