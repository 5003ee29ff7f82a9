import { readEnvironment } from "../config/environment-file";
import { writeWholeYaml } from "../stack/write-whole-yaml";

// `cdk8s synth` runs this: the Kubernetes YAML of the environment AIDBOX_ENV (dev), without Pulumi and without a cluster.
writeWholeYaml(readEnvironment(process.cwd(), process.env.AIDBOX_ENV ?? "dev").environment);
