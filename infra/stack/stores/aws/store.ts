import { passwordTable } from "../../../../constructs/kubernetes/index";
import { type AwsObjects, AwsStore } from "../../../../constructs/stores/aws";
import type { AwsEnvironment } from "../../../config/stores/aws/provider";
import type { StoreYaml } from "../store-yaml";

/** What an environment's YAML has of AWS. */
export const awsYaml: StoreYaml<AwsEnvironment> = {
  store: ({ awsSecrets, table }, reader) => {
    const { region, failoverRegion, identity } = awsSecrets;
    const { rows } = reader === "aidbox" ? table : passwordTable(table);
    const objects = Object.fromEntries(
      Object.entries(awsSecrets.objects).filter(([name]) => rows.some((row) => row.name === name)),
    ) as AwsObjects;
    return new AwsStore({ region, identity, objects, ...(failoverRegion === undefined ? {} : { failoverRegion }) });
  },
};
