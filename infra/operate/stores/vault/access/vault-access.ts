import { type VaultClient, VaultError } from "../../../../../constructs/stores/vault/api/client";
import { firstLine } from "../../../errors";
import type { NamedPolicy } from "./acl";
import { UnreadablePolicyError } from "./hcl";
import { policyRules } from "./policy-rules";

/** A way to log in to Vault, with the policies that it gives. */
export interface VaultLogin {
  /** Path of the auth mount, without `auth/`. */
  readonly mount: string;
  /** Its kind, as `kubernetes`. */
  readonly type: string;
  /** What it is there, as `role`. */
  readonly kind: string;
  readonly name: string;
  readonly policies: readonly string[];
  /** All that Vault says of it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Somebody or a group that Vault knows by name, with policies beside those of the login. */
export interface VaultIdentity {
  readonly kind: "entity" | "group";
  readonly name: string;
  readonly policies: readonly string[];
}

/** What Vault says of who may do what, as far as the token may see it. */
export interface VaultAccess {
  /** Those that could be read, and evaluated. */
  readonly policies: ReadonlyMap<string, NamedPolicy & { readonly text: string }>;
  readonly logins: readonly VaultLogin[];
  readonly identities: readonly VaultIdentity[];
  /** What could not be read, a sentence each. */
  readonly notRead: readonly string[];
}

/** What the kinds of auth mounts list that gives policies. */
const listed: Readonly<Record<string, readonly string[]>> = {
  kubernetes: ["role"],
  jwt: ["role"],
  oidc: ["role"],
  approle: ["role"],
  userpass: ["users"],
  ldap: ["users", "groups"],
  cert: ["certs"],
};

/** The auth mounts whose content `readVaultAccess` reads, for a policy that lets it. */
export const readableKinds: readonly string[] = [...new Set(Object.values(listed).flat())];

/** Reads who may do what in Vault; what the token may not see is named in the result. */
export async function readVaultAccess(vault: VaultClient): Promise<VaultAccess> {
  const notRead: string[] = [];
  const unless = async <T>(what: string, read: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof VaultError || error instanceof UnreadablePolicyError)) throw error;
      const isRefused = error instanceof VaultError && error.status === 403;
      notRead.push(`${what}: ${isRefused ? `Vault refuses ${error.request} with this token` : firstLine(error)}`);
      return otherwise;
    }
  };
  const [policies, logins, identities] = await Promise.all([
    readPolicies(vault, unless),
    readLogins(vault, unless, notRead),
    readIdentities(vault, unless),
  ]);
  return { policies: new Map(policies.map((each) => [each.name, each])), logins, identities, notRead };
}

type Unless = <T>(what: string, read: () => Promise<T>, otherwise: T) => Promise<T>;

async function readPolicies(vault: VaultClient, unless: Unless): Promise<(NamedPolicy & { text: string })[]> {
  const names = await unless("the policies", () => list(vault, "sys/policies/acl"), []);
  const read = names
    .filter((name) => name !== "root")
    .map((name) =>
      unless(
        `policy ${name}`,
        async () => {
          const text = String((await readListed(vault, `sys/policies/acl/${name}`)).policy);
          return [{ name, text, rules: rulesOf(text) }];
        },
        [],
      ),
    );
  return [...(await Promise.all(read)).flat(), { name: "root", text: "", rules: [] }];
}

function rulesOf(text: string) {
  try {
    return policyRules(text);
  } catch (error) {
    if (!(error instanceof UnreadablePolicyError)) throw error;
    throw new UnreadablePolicyError(`its text is not understood (${error.message}): read it by hand`);
  }
}

async function readLogins(vault: VaultClient, unless: Unless, notRead: string[]): Promise<VaultLogin[]> {
  const mounts = await unless("the auth mounts", async () => Object.entries((await vault.read("sys/auth")) ?? {}), []);
  const read = mounts.map(async ([path, about]) => {
    const mount = path.replace(/\/$/, "");
    const { type = "" } = Object(about) as { type?: string };
    const kinds = listed[type];
    if (kinds === undefined) {
      if (type !== "token")
        notRead.push(`auth/${mount}: who logs in there is not looked into, as of any ${type} mount`);
      return [];
    }
    const ofMount = kinds.map(async (kind) => {
      const names = await unless(`auth/${mount}`, () => list(vault, `auth/${mount}/${kind}`), []);
      return Promise.all(
        names.map((name) =>
          unless(
            `${name} of auth/${mount}`,
            async () => {
              const data = await readListed(vault, `auth/${mount}/${kind}/${name}`);
              return [{ mount, type, kind, name, data, policies: policiesOf(data) }];
            },
            [],
          ),
        ),
      );
    });
    return (await Promise.all(ofMount)).flat(2);
  });
  return (await Promise.all(read)).flat();
}

/** A login gets the default policy unless it says otherwise. */
function policiesOf(data: Readonly<Record<string, unknown>>): string[] {
  const named = [...textsIn(data.token_policies), ...textsIn(data.policies)];
  return [...new Set([...named, ...(data.token_no_default_policy === true ? [] : ["default"])])];
}

async function readIdentities(vault: VaultClient, unless: Unless): Promise<VaultIdentity[]> {
  const read = (["entity", "group"] as const).map(async (kind) => {
    const what = kind === "entity" ? "the entities" : "the groups";
    const ids = await unless(what, () => list(vault, `identity/${kind}/id`), []);
    return Promise.all(
      ids.map((id) =>
        unless(
          `${kind} ${id}`,
          async () => {
            const data = await readListed(vault, `identity/${kind}/id/${id}`);
            return [{ kind, name: textsIn(data.name)[0] ?? id, policies: textsIn(data.policies) }];
          },
          [],
        ),
      ),
    );
  });
  return (await Promise.all(read)).flat(2);
}

/** The names under a path; none where there is nothing. */
async function list(vault: VaultClient, path: string): Promise<string[]> {
  return textsIn((await vault.read(`${path}?list=true`))?.keys);
}

/** What is at a path that was listed. @throws UnreadablePolicyError where nothing is, which must not pass for "allows nothing" */
async function readListed(vault: VaultClient, path: string): Promise<Record<string, unknown>> {
  const found = await vault.read(path);
  if (found === undefined) throw new UnreadablePolicyError("it is listed, and cannot be read: look at it by hand");
  return found;
}

/** A list of texts of an answer; a single one is a list too. */
export function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" && value !== "" ? [value] : [];
}
