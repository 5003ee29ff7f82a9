import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { isSecretByForm, isSensitiveName } from "aidbox-secrets/secrets";

const release = "kubernetes:helm.sh/v3:Release";

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** Containers of a resource with pods. */
function containersOf({ props }: ResourceValidationArgs): readonly Container[] {
  const { spec } = props as { spec?: { template?: { spec?: Record<string, readonly Container[] | undefined> } } };
  const pod = spec?.template?.spec ?? {};
  return [...(pod.initContainers ?? []), ...(pod.containers ?? [])];
}

interface Server {
  readonly enabled?: boolean;
  readonly dev?: { readonly enabled?: boolean };
}

/** The chart's values for Vault's servers; undefined where a resource is no release of them. */
function serverOf({ type, props }: ResourceValidationArgs): Server | undefined {
  const { chart, values } = props as { chart?: string; values?: { server?: Server } };
  const isServers = type === release && /(^|\/)vault([-/.]|$)/.test(chart ?? "") && values?.server?.enabled !== false;
  return isServers ? values?.server : undefined;
}

export const policies: ResourceValidationPolicy[] = [
  {
    name: "no-dev-vault",
    description: "Vault in dev mode loses every secret when it restarts.",
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      if (serverOf(args)?.dev?.enabled === true) report("Vault runs in dev mode: use standalone or ha");
    },
  },
  {
    name: "protected-vault",
    description: "A Vault with values goes only where somebody unprotects it by name.",
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      const server = serverOf(args);
      if (server === undefined || server.dev?.enabled === true || args.opts.protect) return;
      report("Vault's release is not protected: set protectsServers: true");
    },
  },
  {
    name: "no-plain-secret",
    description: "A secret comes from the store, and stands in no manifest.",
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      for (const { name: container, env = [] } of containersOf(args)) {
        for (const { name, value = "" } of env) {
          if (value === "" || !(isSensitiveName(name) || isSecretByForm(value))) continue;
          report(`${container}: ${name} holds a secret in plain text: give it a row of the table, with environment`);
        }
      }
    },
  },
  {
    name: "pinned-images",
    description: "A digest names one image for good; a tag can be moved to another.",
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      for (const { name, image = "" } of containersOf(args)) {
        if (!/@sha256:[0-9a-f]{64}$/.test(image)) report(`${name}: ${image} has no digest: write image@sha256:…`);
      }
    },
  },
];
