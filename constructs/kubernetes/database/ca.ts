import { ConfigMap, type Container, Volume } from "cdk8s-plus-28";
import { Construct } from "constructs";
import { containerFolders } from "../aidbox/container";
import type { DatabaseTls } from "./connection";
import { caFile } from "./variables";

export interface DatabaseCaProps {
  /** Container of Aidbox. */
  readonly container: Container;
  readonly tls: DatabaseTls;
}

/** The CA of the database's certificate as a file of Aidbox's container; nothing where the certificate is not checked. */
export class DatabaseCa extends Construct {
  public constructor(scope: Construct, id: string, { container, tls }: DatabaseCaProps) {
    super(scope, id);
    if (!("caConfigMap" in tls)) return;
    const configMap = ConfigMap.fromConfigMapName(this, "config-map", tls.caConfigMap);
    const volume = Volume.fromConfigMap(this, "volume", configMap, {
      name: "database-ca",
      items: { [tls.caKey ?? caFile]: { path: caFile } },
    });
    container.mount(containerFolders.databaseCa, volume, { readOnly: true });
  }
}
