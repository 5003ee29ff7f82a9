import { App } from "cdk8s";
import { parse } from "yaml";
import { AidboxChart } from "../../../../constructs/kubernetes";
import { type SecretSpec, SecretTable } from "../../../../constructs/secrets";
import { type AwsObjects, AwsStore } from "../../../../constructs/stores/aws";
import { findAwsLoginProblems } from "../../../../constructs/stores/aws/rules";
import { manifestOf } from "../../kubernetes/fixtures";

const irsa = { type: "irsa", roleArn: "arn:aws:iam::111122223333:role/aidbox" } as const;

const rows: readonly SecretSpec[] = [
  { name: "client-secret", path: "aidbox/client", key: "client-secret" },
  { name: "client-id", path: "aidbox/client", key: "id" },
  { name: "license", path: "aidbox/license", environment: "BOX_LICENSE" },
  { name: "auth-keys", path: "aidbox/auth-keys", keypair: "ec" },
];
const objects: AwsObjects = { license: { service: "ssmparameter", permission: "0444", versionLabel: "live" } };
const table = new SecretTable({ secrets: rows });

test("the parameters, with every prop", () => {
  const store = new AwsStore({ region: "eu-central-1", failoverRegion: "eu-west-1", identity: irsa, objects });
  expect(store.parameters(table)).toMatchSnapshot();
});

test("rows on one path are members of one secret's JSON, and a parameter is one value", () => {
  const store = new AwsStore({ identity: irsa, objects });
  const { objects: text, ...rest } = store.parameters(table);
  expect(rest).toEqual({ pathTranslation: "False" });
  expect(parse(text!)).toEqual([
    {
      objectName: "aidbox/client",
      objectType: "secretsmanager",
      objectAlias: ".whole/aidbox_client.json",
      jmesPath: [
        { path: '"client-secret"', objectAlias: "client-secret" },
        { path: "id", objectAlias: "client-id" },
      ],
    },
    {
      objectName: "/aidbox/license",
      objectType: "ssmparameter",
      objectVersionLabel: "live",
      objectAlias: "license",
      filePermission: "0444",
    },
    {
      objectName: "aidbox/auth-keys",
      objectType: "secretsmanager",
      objectAlias: ".whole/aidbox_auth-keys.json",
      jmesPath: ["private", "public", "secret"].map((path) => ({ path, objectAlias: `auth-keys-${path}` })),
    },
  ]);
});

test("IRSA is an annotation of the ServiceAccount, and a token for AWS's STS", () => {
  const { identity, tokenAudiences } = new AwsStore({ identity: irsa });
  expect(identity).toEqual({ serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": irsa.roleArn } });
  expect(tokenAudiences).toEqual(["sts.amazonaws.com"]);
});

test("Pod Identity is a parameter, and a token for EKS", () => {
  const store = new AwsStore({ identity: { type: "pod-identity" } });
  expect(store.identity).toEqual({});
  expect(store.tokenAudiences).toEqual(["pods.eks.amazonaws.com"]);
  expect(store.parameters(table).usePodIdentity).toBe("true");
});

test("a secret is named as an operator finds it, and a mount's status names its file", () => {
  const store = new AwsStore({ identity: irsa, objects });
  const [clientSecret, , license] = table.secrets;
  expect(store.locate(clientSecret!)).toBe("Secrets Manager, aidbox/client, key client-secret");
  expect(store.locate(license!)).toBe("Parameter Store, /aidbox/license");
  expect(store.objectId(license!)).toBe("license");
});

test("a table that AWS can hold has no problem", () => {
  expect(new AwsStore({ identity: irsa, objects }).validate(rows)).toEqual([]);
});

test.each<[string, SecretSpec[], AwsObjects, [string, string][]]>([
  [
    "two rows and a keypair in one parameter, with a name that AWS keeps",
    [
      { name: "one", path: "aws/x" },
      { name: "two", path: "aws/x" },
      { name: "keys", path: "aidbox/keys", keypair: "rsa" },
    ],
    { one: { service: "ssmparameter" }, two: { service: "ssmparameter" }, keys: { service: "ssmparameter" } },
    [
      ["secrets[0].path", '"aws/x": Parameter Store takes no name that begins with aws or ssm: write another'],
      ["secrets[1].path", '"aws/x": Parameter Store takes no name that begins with aws or ssm: write another'],
      [
        "secrets[1].path",
        '"aws/x": is that of secrets[0] in Parameter Store too: it holds one value at a name, without keys: give each row a path of its own',
      ],
      [
        "secrets[2].keypair",
        '"rsa": a parameter is one value, and a pair is written whole: let Secrets Manager have it',
      ],
    ],
  ],
  [
    "one secret by two labels",
    [
      { name: "one", path: "aidbox/x" },
      { name: "two", path: "aidbox/x" },
    ],
    { two: { versionLabel: "AWSPREVIOUS" } },
    [
      [
        "secrets[1].path",
        '"aidbox/x": that of secrets[0] has another versionLabel, and is one secret: give both the same',
      ],
    ],
  ],
  [
    "a file that is called as its object",
    [{ name: "client-secret", path: "client-secret" }],
    {},
    [
      [
        "secrets[0].file",
        '"client-secret": is the path of secrets[0] too, which the CSI provider takes for one name: write another file, or a path in a folder, as aidbox/client',
      ],
    ],
  ],
  [
    "an object of no secret, and a file that Aidbox could not read",
    [{ name: "license", path: "aidbox/license" }],
    { licence: {}, license: { permission: "0400" } },
    [
      ["objects.licence", "there is no such secret: write one of license"],
      [
        "objects.license.permission",
        '"0400": files belong to root, and Aidbox is another user: write an octal mode that all may read, as 0444',
      ],
    ],
  ],
])("%s is refused", (_, secrets, given, problems) => {
  const found = new AwsStore({ identity: irsa, objects: given }).validate(secrets);
  expect(found.map(({ key, message }) => [key, message])).toEqual(problems);
});

test("wrong regions and a wrong role are refused at once", () => {
  const wrong = {
    region: "Frankfurt",
    failoverRegion: "Frankfurt",
    identity: { type: "irsa", roleArn: "aidbox" },
  } as const;
  expect(findAwsLoginProblems(wrong).map(({ key, message }) => `${key}: ${message}`)).toEqual([
    'region: "Frankfurt": write a region of AWS, as eu-central-1',
    'failoverRegion: "Frankfurt": write a region of AWS, as eu-central-1',
    'failoverRegion: "Frankfurt": is region too, which the CSI provider refuses: write another, or leave it out',
    `identity.roleArn: "aidbox": write the role's ARN, as arn:aws:iam::111122223333:role/aidbox`,
  ]);
  expect(findAwsLoginProblems({ region: "us-gov-west-1", identity: irsa })).toEqual([]);
});

test("the same Aidbox, with its ServiceAccount annotated for IRSA", () => {
  const chart = new AidboxChart(new App(), "aidbox", {
    namespace: "aidbox",
    table,
    store: new AwsStore({ region: "eu-central-1", identity: irsa, objects }),
    aidbox: { image: "healthsamurai/aidboxone:2605" },
  });
  expect(manifestOf(chart, "SecretProviderClass")).toMatchObject({
    metadata: { name: "aidbox-aws-secrets" },
    spec: { provider: "aws" },
  });
  expect(manifestOf(chart, "ServiceAccount").metadata.annotations).toEqual({
    "eks.amazonaws.com/role-arn": irsa.roleArn,
  });
});

test("this stack writes nothing to AWS", () => {
  const problems = new AwsStore({ identity: irsa }).validate([{ name: "one", path: "aidbox/one", source: "seeded" }]);
  expect(problems).toEqual([{ key: "secrets[0].source", message: '"seeded": AWS has none: write external' }]);
});
