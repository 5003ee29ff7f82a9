import * as pulumi from "@pulumi/pulumi";
import { type CertificateSource, vaultServerNames, VaultTls, type VaultTlsArgs } from "../../../../constructs/platform";
import { Engine, type JsonObject, type Registration, secret } from "../../../mocks";

const types = {
  "aidbox-secrets:platform:VaultTls": {},
  "kubernetes:cert-manager.io/v1:Certificate": {},
  "kubernetes:core/v1:ConfigMap": {},
  "kubernetes:core/v1:Secret": {},
};

const ownCa: CertificateSource = {
  caCert: "the CA",
  caKey: pulumi.secret("the CA's key"),
  trusted: "the CA and a former one",
  cert: "the certificate",
  key: pulumi.secret("the certificate's key"),
};
const issuer = { name: "issuer", kind: "ClusterIssuer" } as const;
const certManager: CertificateSource = { certManager: issuer, trusted: "the issuer's CA" };

let engine: Engine;
beforeEach(async () => {
  engine = await Engine.start({ types });
});
afterEach(async () => {
  await engine.finished();
});

async function make(source: CertificateSource, args: Partial<VaultTlsArgs> = {}): Promise<VaultTls> {
  const names = vaultServerNames("store", "secrets");
  const tls = new VaultTls("tls", { releaseName: "store", namespace: "secrets", names, source, ...args });
  await engine.finished();
  return tls;
}

function ofType(type: string): readonly Registration[] {
  return engine.registrations.filter((each) => each.type === type);
}

const secrets = (): readonly Registration[] => ofType("kubernetes:core/v1:Secret");
const configMaps = (): readonly Registration[] => ofType("kubernetes:core/v1:ConfigMap");
const certificates = (): readonly Registration[] => ofType("kubernetes:cert-manager.io/v1:Certificate");
const encoded = (text: string): string => Buffer.from(text).toString("base64");
const secretData = (data: Record<string, string>): JsonObject =>
  secret(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encoded(value)])));

describe("with a CA of the stack's own", () => {
  test("there are the servers' certificate, the CA's key and the CA for everybody, as children of the component", async () => {
    await make(ownCa);
    expect(engine.registrations.map(({ name, parent }) => [name, parent]).sort()).toEqual([
      ["tls", ""],
      ["tls-ca", "tls"],
      ["tls-ca-key", "tls"],
      ["tls-server", "tls"],
    ]);
  });

  test("former CAs lie beside the CA's key, where there are any", async () => {
    await make({ ...ownCa, former: "a former CA" });
    expect(engine.resource("tls-ca-key").inputs.data).toEqual(
      secretData({ "tls.crt": "the CA", "tls.key": "the CA's key", "former.crt": "a former CA" }),
    );
  });

  test("the servers' Secret has what they need, and not the CA's key", async () => {
    const { secretName } = await make(ownCa);
    const { inputs } = engine.resource("tls-server");
    expect(inputs).toMatchObject({ metadata: { name: "store-tls", namespace: "secrets" }, type: "kubernetes.io/tls" });
    expect(inputs.data).toEqual(secretData({ "tls.crt": "the certificate", "tls.key": "the certificate's key" }));
    expect(secretName).toBe("store-tls");
  });

  test("the CA's key lies in a Secret of its own, whose name the component does not give away", async () => {
    const tls = await make(ownCa);
    const { inputs } = engine.resource("tls-ca-key");
    expect(inputs).toMatchObject({
      metadata: { name: "store-ca-key", namespace: "secrets" },
      type: "kubernetes.io/tls",
    });
    expect(inputs.data).toEqual(secretData({ "tls.crt": "the CA", "tls.key": "the CA's key" }));
    expect([tls.secretName, tls.caConfigMapName]).not.toContain("store-ca-key");
    const others = engine.registrations.filter(({ name }) => name !== "tls-ca-key");
    expect(JSON.stringify(others)).not.toContain(encoded("the CA's key"));
  });

  test("every value of a Secret is secret in the state, also where it came as plain text", async () => {
    await make({
      caCert: "the CA",
      trusted: "the CA",
      caKey: "plain key",
      cert: "the certificate",
      key: "another plain key",
    });
    expect(secrets()).toHaveLength(2);
    for (const { inputs, secretOutputs } of secrets()) {
      expect(Object.keys(inputs.data as JsonObject)).toEqual(["secret"]);
      expect(secretOutputs).toContain("data");
    }
  });

  test("the ConfigMap has the CAs to trust and nothing beside them", async () => {
    const { caConfigMapName } = await make(ownCa);
    expect(configMaps().map(({ inputs }) => inputs)).toMatchObject([
      { metadata: { name: "store-ca", namespace: "secrets" }, data: { "ca.crt": "the CA and a former one" } },
    ]);
    expect(Object.keys(configMaps()[0]!.inputs.data as object)).toEqual(["ca.crt"]);
    expect(caConfigMapName).toBe("store-ca");
  });

  test("the content can be known later", async () => {
    await make({ ...ownCa, cert: pulumi.output(Promise.resolve("a later certificate")) });
    expect(engine.resource("tls-server").inputs.data).toMatchObject({
      secret: { "tls.crt": encoded("a later certificate") },
    });
  });
});

describe("with cert-manager", () => {
  test("its certificate has the servers' names, a new key at each renewal, and the Secret that the servers mount", async () => {
    const { secretName } = await make(certManager);
    expect(certificates()).toHaveLength(1);
    expect(certificates()[0]!.inputs).toMatchSnapshot();
    expect(certificates()[0]!.inputs).toMatchObject({
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { namespace: "secrets" },
      spec: {
        secretName,
        dnsNames: vaultServerNames("store", "secrets").dns,
        ipAddresses: ["127.0.0.1"],
        issuerRef: { name: "issuer", kind: "ClusterIssuer", group: "cert-manager.io" },
        privateKey: { rotationPolicy: "Always" },
      },
    });
  });

  test("an issuer may be one of the namespace", async () => {
    await make({ certManager: { name: "issuer", kind: "Issuer" }, trusted: "the issuer's CA" });
    expect(certificates()[0]!.inputs.spec).toMatchObject({ issuerRef: { kind: "Issuer" } });
  });

  test("the stack writes no Secret", async () => {
    await make(certManager);
    expect(secrets()).toEqual([]);
  });

  test("the issuer's CA is there for those who trust it", async () => {
    const { caConfigMapName } = await make(certManager);
    expect(caConfigMapName).toBe("store-ca");
    expect(configMaps().map(({ inputs }) => inputs.data)).toEqual([{ "ca.crt": "the issuer's CA" }]);
  });
});

describe("the servers' names", () => {
  const { dns, ip } = vaultServerNames("store", "secrets");

  test("are those by which pods, the other servers and a port-forward reach them", () => {
    expect({ dns, ip }).toMatchSnapshot();
    expect(dns).toEqual(
      expect.arrayContaining(["store.secrets", "store.secrets.svc", "*.store-internal.secrets.svc", "localhost"]),
    );
    expect(ip).toEqual(["127.0.0.1"]);
  });

  test("are each there once", () => {
    expect(new Set(dns).size).toBe(dns.length);
  });
});
