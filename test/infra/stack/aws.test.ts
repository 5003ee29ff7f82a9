import * as pulumi from "@pulumi/pulumi";
import { App } from "cdk8s";
import { checkEnvironment } from "../../../infra/config/check-environment";
import type { StackValues } from "../../../infra/config/managed-values";
import type { AwsEnvironment } from "../../../infra/config/stores/aws/provider";
import { InvalidRequestError } from "../../../infra/operate/errors";
import { explain } from "../../../infra/operate/explain";
import { operatorRights } from "../../../infra/operate/rights";
import { rotate } from "../../../infra/operate/rotate";
import { readStatus } from "../../../infra/operate/status";
import { noticeAfterUp } from "../../../infra/operate/stores";
import { verify } from "../../../infra/operate/verify";
import { writeFirst } from "../../../infra/operate/write";
import { plannedStore } from "../../../infra/plan/stores";
import { waysOf } from "../../../infra/plan/ways";
import { aidboxChart, namespacesChart } from "../../../infra/stack/charts";
import { deployStack, kubernetesProvider } from "../../../infra/stack/stack";
import { awsSiteValues } from "../../../infra/stack/stores/aws/site-values";
import { Engine, type Registration } from "../../mocks";

const irsa = { type: "irsa", roleArn: "arn:aws:iam::111122223333:role/aidbox" } as const;
const podIdentity = { type: "pod-identity" } as const;

function environmentOf(identity: object = irsa, changed: object = {}): AwsEnvironment {
  const environment = checkEnvironment("aws", {
    kubeContext: "kind-aidbox",
    secrets: [
      { name: "client-secret", path: "aidbox/client", scope: { resourceType: "Client", id: "basic" } },
      { name: "license", path: "aidbox/license" },
      { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec" },
    ],
    awsSecrets: {
      region: "eu-central-1",
      failoverRegion: "eu-west-1",
      identity,
      objects: { license: { service: "ssmparameter", permission: "0444" } },
      ...changed,
    },
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
  if (environment.awsSecrets === undefined) throw new Error("its store is another");
  return environment;
}

const chartsDir = process.env.CHARTS_DIR;
beforeAll(() => {
  delete process.env.CHARTS_DIR;
});
afterAll(() => {
  if (chartsDir !== undefined) process.env.CHARTS_DIR = chartsDir;
});

type Manifest = { kind: string; metadata: { name: string; annotations?: object }; spec?: object };

test.each([
  ["IRSA", irsa],
  ["Pod Identity", podIdentity],
])("the YAML is of AWS's provider, by %s", (_, identity) => {
  const objects = aidboxChart(new App(), environmentOf(identity)).toJson() as Manifest[];
  const [providerClass] = objects.filter(({ kind }) => kind === "SecretProviderClass");
  const [account] = objects.filter(({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === "aidbox");
  expect(providerClass).toMatchSnapshot();
  expect(account!.metadata.annotations ?? {}).toEqual(
    identity.type === "irsa" ? { "eks.amazonaws.com/role-arn": irsa.roleArn } : {},
  );
});

test("the stack makes the provider's namespace, and none where the cluster has the provider", () => {
  const names = (environment: AwsEnvironment): string[] =>
    (namespacesChart(new App(), environment).toJson() as Manifest[]).map(({ metadata }) => metadata.name);
  expect(names(environmentOf())).toEqual(["aws-csi-provider", "aidbox"]);
  expect(names(environmentOf(irsa, { csiProvider: "there" }))).toEqual(["aidbox"]);
});

const release = "kubernetes:helm.sh/v3:Release";
const types = [
  "pulumi:providers:kubernetes",
  "cdk8s-pulumi:index:DeployedChart",
  "aidbox-secrets:platform:CsiDriver",
  "aidbox-secrets:platform:AwsCsiProvider",
  "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
  "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
  "kubernetes:apps/v1:Deployment",
  "kubernetes:core/v1:ConfigMap",
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:Service",
  "kubernetes:core/v1:ServiceAccount",
  "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  "kubernetes:policy/v1:PodDisruptionBudget",
  "kubernetes:rbac.authorization.k8s.io/v1:Role",
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
  "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass",
];

async function deployed(environment: AwsEnvironment): Promise<{ engine: Engine; awaited: string[] }> {
  const awaited: string[] = [];
  const engine = await Engine.start({
    run: "up",
    types: { ...Object.fromEntries(types.map((type) => [type, {}])), [release]: { status: { status: "deployed" } } },
  });
  deployStack({
    environment,
    kubernetes: kubernetesProvider(environment),
    cluster: {
      repairs: {},
      daemonSetReady: ({ namespace, name }) => {
        awaited.push(`${namespace}/${name}`);
        return Promise.resolve();
      },
      secretsServed: () => Promise.resolve(),
    },
    owner: "aidbox-secrets.aws",
    managedValues: pulumi.secret<StackValues>({}),
  });
  await engine.finished();
  return { engine, awaited };
}

test("where the platform assigns users, the driver's pods and those of AWS's provider may be privileged", async () => {
  const privileged = async (assignsUsers: boolean): Promise<unknown[]> => {
    const { engine } = await deployed({ ...environmentOf(), assignsUsers });
    const bindings = engine.registrations.filter(({ name }) => name.endsWith("-privileged"));
    return bindings.map(({ inputs }) => inputs);
  };
  expect(await privileged(true)).toMatchObject([
    {
      metadata: { namespace: "kube-system" },
      subjects: [{ kind: "ServiceAccount", name: "secrets-store-csi-driver" }],
    },
    {
      metadata: { namespace: "aws-csi-provider" },
      subjects: [{ kind: "Group", name: "system:serviceaccounts:aws-csi-provider" }],
    },
  ]);
  expect(await privileged(false)).toEqual([]);
});

test("one up on mocks installs the driver and AWS's provider, and Aidbox after both", async () => {
  const { engine, awaited } = await deployed(environmentOf());
  const releases = engine.registrations.filter(({ type }: Registration) => type === release);
  expect(releases.map(({ inputs }) => [inputs.chart, inputs.version, inputs.name, inputs.namespace])).toEqual([
    ["secrets-store-csi-driver", "1.6.1", "csi", "kube-system"],
    ["secrets-store-csi-driver-provider-aws", "3.2.0", "aws-node", "aws-csi-provider"],
  ]);
  expect(releases[0]!.inputs.values).toMatchObject({ tokenRequests: [{ audience: "sts.amazonaws.com" }] });
  expect(awaited.sort()).toEqual(["aws-csi-provider/aws-node", "kube-system/csi-secrets-store-csi-driver"]);
  expect(engine.registrations.some(({ type }) => type === "kubernetes:apps/v1:Deployment")).toBe(true);
});

test("the provider takes the site's images and users", () => {
  const images = { registry: "registry.example.com/mirror", pullSecrets: ["mirror"] };
  expect(awsSiteValues({ images, assignsUsers: true })).toEqual({
    imagePullSecrets: [{ name: "mirror" }],
    image: {
      repository: "registry.example.com/mirror/aws-secrets-manager/secrets-store-csi-driver-provider-aws",
    },
    securityContext: { privileged: true, allowPrivilegeEscalation: true },
  });
  expect(awsSiteValues({})).toEqual({});
});

test("the plan draws the way of each secret, and says how an operator writes it", () => {
  const environment = environmentOf();
  const { store, provider, readers } = waysOf(environment);
  expect([store, provider]).toEqual([
    { title: "AWS", lines: ["eu-central-1"], madeOf: [] },
    {
      title: "AWS CSI provider",
      lines: ["in aws-csi-provider"],
      madeOf: ["Helm release aws-csi-provider/aws-node"],
    },
  ]);
  expect(JSON.stringify(readers)).toContain("ssmparameter:/aidbox/license");
  const [client, license] = environment.table.secrets;
  const planned = plannedStore(environment);
  expect(planned.howToWrite!(environment, client!)).toBe(
    "`aws secretsmanager create-secret --region eu-central-1 --name aidbox/client --secret-string file://FILE`, with a JSON " +
      "object in FILE whose key client-secret has the value",
  );
  expect(planned.howToWrite!(environment, license!)).toMatch(/^`aws ssm put-parameter .* --name \/aidbox\/license /);
});

test.each<[string, (environment: AwsEnvironment) => unknown]>([
  ["rotate", (environment) => rotate(environment, "license", () => Promise.reject(new Error("never asked for")))],
  ["status", (environment) => readStatus(environment)],
  ["verify", (environment) => verify(environment)],
  ["write", (environment) => writeFirst(environment, "license", () => Promise.reject(new Error("never asked for")))],
  ["explain", (environment) => explain(environment, "license")],
  ["rights", (environment) => operatorRights(environment, "viewer", "operators")],
])("%s says that it is not for AWS yet, before it asks anybody", async (_, run) => {
  const refusal = Promise.resolve().then(() => run(environmentOf()));
  await expect(refusal).rejects.toBeInstanceOf(InvalidRequestError); // exit code 2
  await expect(refusal).rejects.toThrow('environment "aws": this command is not for AWS yet');
});

test("an up that went well says nothing of AWS, and is no error", async () => {
  expect(await noticeAfterUp(environmentOf())).toBe("");
});
