import { shellCommand } from "../../../constructs/shell-command";
import { awsObjectName } from "../../../constructs/stores/aws/parameters";
import { type AwsEnvironment, awsProvider } from "../../config/stores/aws/provider";
import type { Station } from "../station";
import type { PlannedStore } from "./planned-store";

/** What a plan knows of AWS, which it does not ask. */
export const plannedAws: PlannedStore<AwsEnvironment> = {
  args: (environment, common) => ({ ...common, environment }),
  stations: (environment) => {
    const release = awsProvider(environment);
    return {
      store: { title: "AWS", lines: [environment.awsSecrets.region], madeOf: [] },
      provider:
        release === undefined
          ? { title: "AWS CSI provider", lines: ["the cluster's own"], madeOf: [] }
          : {
              title: "AWS CSI provider",
              lines: [`in ${release.namespace}`],
              madeOf: [`Helm release ${release.namespace}/${release.releaseName}`],
            },
      access: () => accessOf(environment),
      madeFor: () => [],
    };
  },
  lacks: () => [],
  howToWrite: ({ awsSecrets: { region, objects } }, secret) => {
    const { service = "secretsmanager" } = objects[secret.pair ?? secret.name] ?? {};
    const name = awsObjectName(secret, { service });
    const at = ["--region", region, "--name", name];
    if (service === "secretsmanager") {
      const write = shellCommand("aws", "secretsmanager", "create-secret", ...at, "--secret-string", "file://FILE");
      return `\`${write}\`, with a JSON object in FILE whose key ${secret.key} has the value`;
    }
    const put = shellCommand("aws", "ssm", "put-parameter", ...at, "--type", "SecureString", "--value", "file://FILE");
    return `\`${put}\`, with the value in FILE`;
  },
};

function accessOf({ awsSecrets: { identity }, namespaces, aidbox }: AwsEnvironment): Station {
  const account = `${namespaces.aidbox}/${aidbox.name}`;
  return identity.type === "irsa"
    ? { title: "IAM role", lines: [identity.roleArn, "trusts", account], madeOf: [] }
    : { title: "EKS Pod Identity", lines: ["associated with", account], madeOf: [] };
}
