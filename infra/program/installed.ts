import * as pulumi from "@pulumi/pulumi";
import { program } from "./program";

// As `infra/main.js` of a clone: the SDK keeps the decrypted config, and no child process is to have it.
pulumi.runtime.allConfig();
delete process.env.PULUMI_CONFIG;

export { program };
