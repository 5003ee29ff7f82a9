import type { Secret } from "../../../../constructs/secrets";
import {
  AzureLoginError,
  type KeyVaultLogin,
  type KeyVaultObject,
  type KeyVaultObjects,
  keyVaultCommand,
  objectName,
  workloadIdentityAudience,
} from "../../../../constructs/stores/azure-key-vault";
import { shellCommand } from "../../../../constructs/shell-command";
import { BrokenLinkError, type Link } from "../../link";
import type { KeyVaultClients } from "./clients";
import { isForbidden, permitted } from "./permitted";

/** What of an environment the chain from Key Vault to the pods is made of. */
export interface KeyVaultChain {
  readonly login: KeyVaultLogin;
  readonly secrets: readonly Secret[];
  readonly objects: KeyVaultObjects;
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
  /** Command that writes what is not there, or recovers it. */
  readonly writeCommand: (secret: Secret) => string;
}

/**
 * A key vault, and what it holds for the table.
 *
 * @param values takes the current values by the secret's name, as they reach a file
 */
export function keyVaultLinks(chain: KeyVaultChain, clients: KeyVaultClients, values: Map<string, string>): Link[] {
  const { login, secrets, serviceAccount } = chain;
  const readable = secrets.filter((secret) => objectOf(chain, secret).type !== "key");
  return [
    {
      name: "key vault",
      checks: `key vault ${login.keyVault} is there, and shows the operator what it holds`,
      needs: ["cluster"],
      check: async () => {
        await permitted(clients.operator().state(objectName(secrets[0]!)));
        return `${login.keyVault} answers`;
      },
    },
    ...readable.map((secret): Link => ({
      name: `secret ${secret.name}`,
      checks: `${objectName(secret)} is in ${login.keyVault}, and enabled`,
      needs: ["key vault"],
      check: () => checkSecret(chain, clients, secret),
    })),
    {
      name: "access",
      checks: `${serviceAccount.namespace}/${serviceAccount.name} reads each of the table's secrets`,
      needs: readable.map(({ name }) => `secret ${name}`),
      check: () => checkAccess(chain, clients, readable, values),
    },
  ];
}

async function checkSecret(chain: KeyVaultChain, clients: KeyVaultClients, secret: Secret): Promise<string> {
  const { keyVault } = chain.login;
  const name = objectName(secret);
  const { version: pinned } = objectOf(chain, secret);
  const { versions, isDeleted } = await permitted(clients.operator().state(name));
  const current = pinned === undefined ? versions[0] : versions.find(({ version }) => version === pinned);
  if (current === undefined && isDeleted === true) {
    throw new BrokenLinkError(`${name} is deleted, and can be recovered`, keyVaultCommand(keyVault, name, "recover"));
  }
  if (current === undefined) {
    const what = pinned === undefined ? name : `version ${pinned} of ${name}`;
    throw new BrokenLinkError(`${what} is not in key vault ${keyVault}`, chain.writeCommand(secret));
  }
  if (!current.enabled) throw new BrokenLinkError(`${name} is disabled`, keyVaultCommand(keyVault, name, "enable"));
  const ends = current.expiresAt === undefined ? "" : `, ends at ${current.expiresAt.toISOString()}`;
  return `version ${current.version} of ${current.createdAt.toISOString()}${ends}`;
}

async function checkAccess(
  chain: KeyVaultChain,
  clients: KeyVaultClients,
  secrets: readonly Secret[],
  values: Map<string, string>,
): Promise<string> {
  const pod = await clients.asPods();
  const refused: string[] = [];
  for (const secret of secrets) {
    const object = objectOf(chain, secret);
    try {
      const found = await pod.read(objectName(secret), object.version);
      if (found !== undefined && object.type !== "certificate") values.set(secret.name, contentOf(found.value, object));
    } catch (error) {
      if (error instanceof AzureLoginError) throw new BrokenLinkError(error.message, loginFix(chain));
      if (!isForbidden(error)) throw error;
      refused.push(objectName(secret));
    }
  }
  if (refused.length === 0) return `reads ${secrets.length} of ${secrets.length} secrets`;
  throw new BrokenLinkError(
    `Key Vault refuses ${refused.join(", ")} to the identity of Aidbox's pods (403): it has no role there`,
    roleFix(chain),
  );
}

/** A secret's content as the provider writes it into a file. */
export function contentOf(value: string, { encoding = "utf-8" }: KeyVaultObject): string {
  return encoding === "utf-8" ? value : Buffer.from(value, encoding).toString();
}

function objectOf({ objects }: KeyVaultChain, { pair, name }: Secret): KeyVaultObject {
  return objects[pair ?? name] ?? {};
}

/** How Entra ID comes to give the pods a token. */
function loginFix({ login, serviceAccount }: KeyVaultChain): string {
  const show = shellCommand("az", "keyvault", "show", "--name", login.keyVault, "--query", "properties.tenantId");
  if (login.identity.type !== "workload") return show;
  const subject = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
  const command = ["az", "identity", "federated-credential", "create", "--identity-name", "IDENTITY"];
  const of = ["--resource-group", "GROUP", "--name", serviceAccount.name, "--issuer", "ISSUER"];
  const create = shellCommand(...command, ...of, "--subject", subject, "--audiences", workloadIdentityAudience);
  return `compare the tenant with \`${show}\`, and the identity's federated credentials with \`${create}\``;
}

function roleFix({ login: { keyVault, identity } }: KeyVaultChain): string {
  const assignee = identity.type === "service-principal" ? "CLIENT-ID" : (identity.clientId ?? "CLIENT-ID");
  const scope = `"$(${shellCommand("az", "keyvault", "show", "--name", keyVault, "--query", "id", "--output", "tsv")})"`;
  const role = ["--role", "Key Vault Secrets User", "--assignee", assignee];
  return `${shellCommand("az", "role", "assignment", "create", ...role)} --scope ${scope}`;
}
