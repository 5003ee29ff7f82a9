import { componentProviderHost } from "@pulumi/pulumi/provider/experimental";
import { Aidbox } from "./aidbox";

void componentProviderHost({ components: [Aidbox], dirname: __dirname, name: "aidbox-components" });
