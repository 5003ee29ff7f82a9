import {
  clientSecret,
  documents,
  expectExit,
  expectSuccess,
  expectUnchanged,
  type Initialisation,
  kubectl,
  overrides,
  type Ran,
  readSecretFile,
  story,
  TestStack,
  vaultPods,
} from "./harness";

/** The cluster's own storage class lets no volume grow. With the field set, volumes grow as far as the API goes. */
async function setGrowth(allowVolumeExpansion: boolean): Promise<void> {
  await kubectl("patch", "storageclass", "standard", "-p", JSON.stringify({ allowVolumeExpansion }));
}

const password = { name: "database-password", path: "aidbox/database", environment: "BOX_DB_PASSWORD" };
const secrets = [clientSecret, { ...password, source: "seeded" }];

describe("volumes that are to be larger", () => {
  const step = story();
  let stack: TestStack;
  let env: NodeJS.ProcessEnv = {};

  const config = (vaultSize = "1Gi", databaseSize = "1Gi", storageClass?: string): Promise<string[]> =>
    overrides({
      secrets,
      vault: { mode: "standalone", storage: { size: vaultSize, retain: false } },
      database: { mode: "development", storage: { size: databaseSize, storageClass } },
    });
  const up = async (...sizes: Parameters<typeof config>): Promise<Ran> =>
    stack.commandAs({ env }, "up", "--yes", ...(await config(...sizes)));
  const claims = async (): Promise<string[]> => {
    const format =
      'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.spec.resources.requests.storage}{"\\n"}{end}';
    const listed = await Promise.all(
      ["vault", "aidbox"].map((namespace) => kubectl("-n", namespace, "get", "pvc", "-o", format)),
    );
    return listed.join("\n").split("\n").filter(Boolean);
  };
  const servers = (): Promise<string> =>
    kubectl("-n", "vault", "get", "statefulset", "vault", "-o", "jsonpath={.metadata.uid} {.metadata.generation}");
  const everything = async (): Promise<unknown[]> => [await claims(), await servers(), await vaultPods()];
  const owners = (pvc: string): Promise<string> =>
    kubectl("-n", "vault", "get", "pvc", pvc, "-o", "jsonpath={.metadata.ownerReferences[*].uid}");

  beforeAll(async () => {
    stack = await TestStack.create("dev");
  });
  afterAll(async () => {
    await stack.commandAs({ env }, "destroy", "--yes", ...(await config()));
    await stack.dispose();
    await setGrowth(false);
  });

  step("a Vault and a PostgreSQL with volumes of 1 GiB serve", async () => {
    expectExit(await up(), 3);
    const one = ["--shares", "1", "--threshold", "1"];
    const init = await stack.commandAs({ env }, "vault:init", "--json", ...one, ...(await config()));
    expectSuccess(init);
    env = { VAULT_TOKEN: (documents(init) as Initialisation).stackToken };
    expectSuccess(await up());
    expectUnchanged(await up());
  });

  step(
    "one whose class lets it not grow, a smaller one and another class are refused, and nothing is touched",
    async () => {
      const before = await everything();
      const refused = await up("2Gi", "2Gi", "other");
      expect(refused.code).not.toBe(0);
      const said = refused.stdout + refused.stderr;
      expect(said).toContain(
        'vault.storage.size: "2Gi": the volume claim data-vault-0 of namespace vault has 1Gi, and its',
      );
      expect(said).toContain('database.storage.storageClass: "other": the volume claim aidbox-postgres');
      const smaller = await up("512Mi", "512Mi");
      expect(smaller.code).not.toBe(0);
      expect((smaller.stdout + smaller.stderr).match(/no volume shrinks: write 1(Gi|024Mi)/g)).toHaveLength(2);
      expect(await everything()).toEqual(before);
    },
  );

  step("larger ones grow in place: no pod restarts, no claim is another, and the servers own them again", async () => {
    await setGrowth(true);
    const [before, pods, formerServers] = [await claims(), await vaultPods(), await servers()];
    expectSuccess(await up("2Gi", "2Gi"));
    const larger = before.map((each) => each.replace(/(aidbox-postgres|data-vault-0) (\S+) .*/, "$1 $2 2Gi"));
    expect(larger).not.toEqual(before);
    expect(await claims()).toEqual(larger);
    expect(await vaultPods()).toBe(pods);
    expect(await servers()).not.toBe(formerServers);
    expect(await owners("data-vault-0")).toBe((await servers()).split(" ")[0]);
    expect(await readSecretFile()).toMatch(/^[\w-]{32}$/);
    expectUnchanged(await up("2Gi", "2Gi"));
  });

  step("an up that was killed once the StatefulSet had made way is run again", async () => {
    const pods = await vaultPods();
    await kubectl("-n", "vault", "delete", "statefulset", "vault", "--cascade=orphan");
    expectSuccess(await up("3Gi", "2Gi"));
    expect(await vaultPods()).toBe(pods);
    expect(await claims()).toContainEqual(expect.stringMatching(/^data-vault-0 \S+ 3Gi$/));
    expectUnchanged(await up("3Gi", "2Gi"));
  });
});
