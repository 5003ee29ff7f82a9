import { mostReplicas } from "../../constructs/kubernetes/aidbox/roll";
import { passwordTable } from "../../constructs/kubernetes/index";
import { objectNames, secretsStoreDriver } from "../../constructs/kubernetes/names";
import type { Secret, SecretTable } from "../../constructs/secrets";
import { postgresName } from "../config/database";
import type { Environment } from "../config/environment";
import { republishes } from "../config/rotation-bound";
import { locate } from "../config/stores/of-environment";
import { storeOf } from "../stack/stores";
import type { ReaderKind, Station, StoreStations } from "./station";
import { plannedStore } from "./stores";

/** The ways of all secrets of an environment, from the store to the pods that read them. Of a secret's value it knows nothing. */
export interface Ways {
  readonly environment: string;
  readonly kubeContext: string;
  readonly store: Station;
  readonly provider: Station;
  readonly driver: Station;
  readonly readers: readonly Reader[];
}

/** Those who read secrets by one access. */
export interface Reader {
  /** Its own among all readers: letters, digits and dashes. */
  readonly id: string;
  /** As `Aidbox` or `Tenant north`. */
  readonly title: string;
  readonly access: Station;
  /** The SecretProviderClass, which says what the driver fetches. */
  readonly mount: Station;
  readonly workload: Station;
  /** Folder of its secrets' files. */
  readonly mountPath: string;
  readonly ways: readonly Way[];
}

/** The way of one secret to one reader. */
export interface Way {
  readonly secret: Secret;
  /** Where it lies in the store, as the policy names it. */
  readonly place: string;
  /** Absolute path of its file in the pods. */
  readonly file: string;
  /** What the plan makes for it in the store, as that of a station. */
  readonly madeOf: readonly string[];
}

/** The ways of an environment's secrets, those of tenants and of the PostgreSQL for development too. */
export function waysOf(environment: Environment): Ways {
  const { name, kubeContext } = environment;
  const { store, provider } = stationsOf(environment);
  const all: readonly Environment[] = [environment, ...environment.tenants];
  return {
    environment: name,
    kubeContext,
    store,
    provider,
    driver: driverOf(environment),
    readers: all.flatMap((each) => [
      aidboxOf(each),
      ...(each.database?.mode === "development" ? [postgresOf(each)] : []),
    ]),
  };
}

function stationsOf(environment: Environment): StoreStations {
  return plannedStore(environment).stations(environment);
}

function driverOf({ csiDriver, rotationBoundSeconds }: Environment): Station {
  const within = ["a change arrives", `within ${rotationBoundSeconds} s`];
  return csiDriver.install
    ? {
        title: "CSI driver",
        lines: [`in ${csiDriver.namespace};`, ...within],
        madeOf: [`Helm release ${csiDriver.namespace}/${csiDriver.release}`],
      }
    : { title: "CSI driver", lines: ["the cluster's own;", ...within], madeOf: [] };
}

function aidboxOf(environment: Environment): Reader {
  const { aidbox, namespaces, table, tenant } = environment;
  const { namespace, name } = { namespace: namespaces.aidbox, name: aidbox.name };
  const { republisher } = objectNames(name);
  const pods = aidbox.autoscaling === undefined ? `${mostReplicas(aidbox)}` : `up to ${mostReplicas(aidbox)}`;
  return {
    ...readerOf(environment, "aidbox", table, name),
    id: tenant === undefined ? "aidbox" : `tenant-${tenant}`,
    title: tenant === undefined ? "Aidbox" : `Tenant ${tenant}`,
    workload: {
      title: `${namespace}/${name}`,
      lines: [`${pods} × ${aidbox.image}`],
      madeOf: [
        `Deployment ${namespace}/${name}`,
        ...(republishes(environment) ? [`Deployment ${namespace}/${republisher}`] : []),
      ],
    },
  };
}

/** The PostgreSQL for development, which reads its password alone. */
function postgresOf(environment: Environment): Reader {
  const { aidbox, namespaces, table, tenant } = environment;
  const name = postgresName(aidbox.name);
  return {
    ...readerOf(environment, "postgres", passwordTable(table), name),
    id: tenant === undefined ? "postgres" : `postgres-${tenant}`,
    title: tenant === undefined ? "PostgreSQL" : `PostgreSQL of ${tenant}`,
    workload: {
      title: `${namespaces.aidbox}/${name}`,
      lines: ["for development"],
      madeOf: [`StatefulSet ${namespaces.aidbox}/${name}`],
    },
  };
}

function readerOf(
  environment: Environment,
  kind: ReaderKind,
  table: SecretTable,
  workload: string,
): Pick<Reader, "access" | "mount" | "mountPath" | "ways"> {
  const stations = stationsOf(environment);
  const { secretProviderClass } = objectNames(workload, storeOf(environment, kind).provider);
  const { aidbox: namespace } = environment.namespaces;
  return {
    access: stations.access(kind),
    mount: {
      title: `SecretProviderClass ${secretProviderClass}`,
      lines: [`read by ${secretsStoreDriver}`],
      madeOf: [`SecretProviderClass ${namespace}/${secretProviderClass}`],
    },
    mountPath: table.mountPath,
    ways: table.secrets.map((secret) => ({
      secret,
      place: locate(environment, secret),
      file: table.filePath(secret),
      madeOf: stations.madeFor(secret),
    })),
  };
}
