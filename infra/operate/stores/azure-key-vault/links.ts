import type { Secret } from "../../../../constructs/secrets";
import { shellCommand } from "../../../../constructs/shell-command";
import {
  AzureLoginError,
  type KeyVaultClient,
  type KeyVaultObject,
} from "../../../../constructs/stores/azure-key-vault";
import { objectName } from "../../../../constructs/stores/azure-key-vault/names";
import { workloadIdentityAudience } from "../../../../constructs/stores/azure-key-vault/parameters";
import { keyVaultCommand } from "../../../../constructs/stores/azure-key-vault/permissions";
import type { KeyVaultEnvironment } from "../../../config/environment";
import { writeSecretCommand } from "../../../config/stores/azure-key-vault/write-command";
import { kubectl, mendDrift } from "../../hints";
import { BrokenLinkError, type Link, secretLink } from "../../link";
import { PermissionDeniedError } from "../../permission-denied";
import type { CurrentValues, SecretContent } from "../../store-operator";
import { type KeyVaultClients, PodIdentityError } from "./clients";
import { isForbidden, permitted } from "./permitted";

/**
 * A key vault, and what it holds for the table.
 *
 * @param values takes the current values
 */
export function keyVaultLinks(
  environment: KeyVaultEnvironment,
  clients: KeyVaultClients,
  values: CurrentValues,
): Link[] {
  const { table, azureKeyVault, namespaces, aidbox } = environment;
  const { secrets } = table;
  const readable = secrets.filter((secret) => objectOf(environment, secret).type !== "key");
  return [
    {
      name: "key vault",
      checks: `key vault ${azureKeyVault.name} is there, and shows the operator what it holds`,
      needs: ["cluster"],
      check: async () => {
        await permitted(clients.operator().state(objectName(secrets[0]!)));
        return `${azureKeyVault.name} answers`;
      },
    },
    ...readable.map((secret): Link => ({
      name: secretLink(secret),
      checks: `${objectName(secret)} is in ${azureKeyVault.name}, and enabled`,
      needs: ["key vault"],
      check: () => checkSecret(environment, clients, secret),
    })),
    {
      name: "access",
      checks: `${namespaces.aidbox}/${aidbox.name} reads each of the table's secrets`,
      needs: readable.map(secretLink),
      check: () => checkAccess(environment, clients, readable, values),
    },
  ];
}

async function checkSecret(
  environment: KeyVaultEnvironment,
  clients: KeyVaultClients,
  secret: Secret,
): Promise<string> {
  const { name: keyVault } = environment.azureKeyVault;
  const name = objectName(secret);
  const { version: pinned } = objectOf(environment, secret);
  const { versions, isDeleted } = await permitted(clients.operator().state(name));
  const current = pinned === undefined ? versions[0] : versions.find(({ version }) => version === pinned);
  if (current === undefined && isDeleted === true) {
    throw new BrokenLinkError(`${name} is deleted, and can be recovered`, keyVaultCommand(keyVault, name, "recover"));
  }
  if (current === undefined) {
    const what = pinned === undefined ? name : `version ${pinned} of ${name}`;
    throw new BrokenLinkError(`${what} is not in key vault ${keyVault}`, writeSecretCommand(environment, secret));
  }
  if (!current.enabled) throw new BrokenLinkError(`${name} is disabled`, keyVaultCommand(keyVault, name, "enable"));
  const ends = current.expiresAt === undefined ? "" : `, ends at ${current.expiresAt.toISOString()}`;
  return `version ${current.version} of ${current.createdAt.toISOString()}${ends}`;
}

async function checkAccess(
  environment: KeyVaultEnvironment,
  clients: KeyVaultClients,
  secrets: readonly Secret[],
  values: CurrentValues,
): Promise<string> {
  const { identity } = environment.azureKeyVault;
  // What a node alone has cannot be tried from here; the files can be compared all the same, by who may read.
  const reader = identity.type === "node" ? clients.operator() : await asPods(environment, clients);
  const refused: string[] = [];
  for (const secret of secrets) {
    const object = objectOf(environment, secret);
    try {
      const found = await reader.read(objectName(secret), object.version);
      if (found !== undefined && object.type !== "certificate") values.set(secret.name, contentOf(found.value, object));
    } catch (error) {
      if (error instanceof AzureLoginError && identity.type !== "node") {
        throw new BrokenLinkError(error.message, loginFix(environment));
      }
      if (!isForbidden(error)) throw error;
      refused.push(objectName(secret));
    }
  }
  if (identity.type === "node")
    throw new PermissionDeniedError("the identity of Aidbox's node, which only a pod of that node has");
  if (refused.length === 0) return `reads ${secrets.length} of ${secrets.length} secrets`;
  throw new BrokenLinkError(
    `Key Vault refuses ${refused.join(", ")} to the identity of Aidbox's pods (403): it has no role there`,
    roleFix(environment),
  );
}

async function asPods(environment: KeyVaultEnvironment, clients: KeyVaultClients): Promise<KeyVaultClient> {
  try {
    return await clients.asPods();
  } catch (error) {
    if (!(error instanceof PodIdentityError)) throw error;
    const { azureKeyVault, namespaces } = environment;
    const fix =
      azureKeyVault.identity.type === "service-principal"
        ? kubectl(environment, namespaces.aidbox, "describe", "secret", azureKeyVault.identity.secretName)
        : mendDrift(environment);
    throw new BrokenLinkError(error.message, fix);
  }
}

/** A secret's content as the provider writes it into a file. */
export function contentOf(value: string, { encoding = "utf-8" }: KeyVaultObject): SecretContent {
  return encoding === "utf-8" ? value : Buffer.from(value, encoding);
}

function objectOf({ azureKeyVault }: KeyVaultEnvironment, { pair, name }: Secret): KeyVaultObject {
  return azureKeyVault.objects[pair ?? name] ?? {};
}

/** How Entra ID comes to give the pods a token. */
function loginFix({ azureKeyVault, namespaces, aidbox }: KeyVaultEnvironment): string {
  const show = shellCommand("az", "keyvault", "show", "--name", azureKeyVault.name, "--query", "properties.tenantId");
  if (azureKeyVault.identity.type !== "workload") return show;
  const subject = `system:serviceaccount:${namespaces.aidbox}:${aidbox.name}`;
  const command = ["az", "identity", "federated-credential", "create", "--identity-name", "IDENTITY"];
  const of = ["--resource-group", "GROUP", "--name", aidbox.name, "--issuer", "ISSUER"];
  const create = shellCommand(...command, ...of, "--subject", subject, "--audiences", workloadIdentityAudience);
  return `compare the tenant with \`${show}\`, and the identity's federated credentials with \`${create}\``;
}

function roleFix({ azureKeyVault: { name: keyVault, identity } }: KeyVaultEnvironment): string {
  const assignee = identity.type === "service-principal" ? "CLIENT-ID" : (identity.clientId ?? "CLIENT-ID");
  const scope = `"$(${shellCommand("az", "keyvault", "show", "--name", keyVault, "--query", "id", "--output", "tsv")})"`;
  const role = ["--role", "Key Vault Secrets User", "--assignee", assignee];
  return `${shellCommand("az", "role", "assignment", "create", ...role)} --scope ${scope}`;
}
