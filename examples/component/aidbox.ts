import * as pulumi from "@pulumi/pulumi";
import { AidboxChart } from "aidbox-secrets/kubernetes";
import { SecretTable } from "aidbox-secrets/secrets";
import { readPolicy, VaultPaths, VaultStore } from "aidbox-secrets/vault";
import { DeployedChart } from "cdk8s-pulumi";

/** One secret of Vault, and what it becomes in the pods. */
export interface AidboxSecret {
  /** Name by which FHIR resources refer to it, and of its file. */
  name: string;
  /** Path in Vault's KV mount, as `aidbox/client`. */
  path: string;
  /** Key at that path; the name, where left out. */
  key?: string;
  /** Variable of Aidbox that has it too, as `BOX_ADMIN_PASSWORD`. */
  environment?: string;
  /** Type of the only FHIR resources that may use it, as `Client`. */
  resourceType?: string;
}

export interface AidboxArgs {
  /** Namespace of everything; it must exist. */
  namespace: string;
  /** Image with its tag or digest, 2602 or later. */
  image: string;
  /** The secrets. Class, policy, vault-config.json and volume are made of them. */
  secrets: AidboxSecret[];
  /** URL of Vault as the cluster's pods see it. */
  vaultAddress: pulumi.Input<string>;
  /** Role of Vault that the pods log in with; `aidbox`, where left out. */
  role?: string;
  /** Number of pods; 1, where left out. */
  replicas?: number;
}

/** Aidbox with its secrets from Vault as files, by the Secrets Store CSI driver, which must be there. */
export class Aidbox extends pulumi.ComponentResource {
  /** Name of the Deployment. */
  public readonly deployment: pulumi.Output<string>;
  /** Name of the Service, port 8080. */
  public readonly service: pulumi.Output<string>;
  /** Name of the SecretProviderClass. */
  public readonly secretProviderClass: pulumi.Output<string>;
  /** Text of the policy that the role must have in Vault, and no more. */
  public readonly policy: pulumi.Output<string>;

  constructor(name: string, args: AidboxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aidbox-components:index:Aidbox", name, args, opts);
    const { namespace, image, role = "aidbox", replicas } = args;
    const table = new SecretTable({
      secrets: args.secrets.map(({ resourceType, ...row }) =>
        resourceType ? { ...row, scope: { resourceType } } : row,
      ),
    });
    const { chart } = new DeployedChart(
      name,
      ({ app, outputs }) => {
        const store = new VaultStore({ address: outputs.string(args.vaultAddress), role });
        return new AidboxChart(app, name, { namespace, table, store, aidbox: { image, replicas } });
      },
      { parent: this },
    );
    this.deployment = pulumi.output(chart.aidbox.deployment.name);
    this.service = pulumi.output(chart.aidbox.service.name);
    this.secretProviderClass = pulumi.output(chart.secretProviderClass.name);
    this.policy = pulumi.output(readPolicy(table, new VaultPaths()));
    this.registerOutputs();
  }
}
