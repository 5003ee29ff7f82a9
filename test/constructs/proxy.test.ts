import { proxyFor } from "../../constructs/proxy";

const proxy = "http://proxy.example:3128";

test.each<[what: string, address: string, variables: NodeJS.ProcessEnv, proxy: string | undefined]>([
  ["nothing is said", "https://vault.example:8200", {}, undefined],
  ["the variable is empty", "https://vault.example:8200", { HTTPS_PROXY: "" }, undefined],
  ["all go by it", "https://vault.example:8200", { HTTPS_PROXY: proxy }, proxy],
  ["it is written in lower case", "https://vault.example:8200", { https_proxy: proxy }, proxy],
  ["it is written without http://", "https://vault.example", { HTTPS_PROXY: "proxy.example:3128" }, proxy],
  ["it is for the other protocol", "http://vault.example:8200", { HTTPS_PROXY: proxy }, undefined],
  ["it is for plain HTTP", "http://vault.example:8200", { HTTP_PROXY: proxy }, proxy],
  ...["127.0.0.1:20001", "127.8.8.8", "localhost:8200", "[::1]:8200"].map(
    (host): [string, string, NodeJS.ProcessEnv, undefined] => [
      `${host} is this machine, as a port-forward`,
      `https://${host}`,
      { HTTPS_PROXY: proxy },
      undefined,
    ],
  ),
])("%s: %s", (_, address, variables, expected) => {
  expect(proxyFor(address, variables)).toBe(expected);
});

test.each<[exceptions: string, address: string, isException: boolean]>([
  ["*", "https://vault.example", true],
  ["vault.example", "https://vault.example", true],
  ["VAULT.example", "https://vault.Example", true],
  ["example", "https://vault.example", true],
  ["ample", "https://vault.example", false],
  [".example", "https://vault.example", true],
  ["*.example", "https://vault.example", true],
  [".vault.example", "https://vault.example", false],
  ["vault.example:8200", "https://vault.example:8200", true],
  ["vault.example:8200", "https://vault.example:8201", false],
  ["vault.example:443", "https://vault.example", true],
  ["a.example, ,vault.example", "https://vault.example", true],
  ["10.1.2.3", "https://10.1.2.3:6443", true],
  ["10.1.2.4", "https://10.1.2.3", false],
  ["10.1.2.3:6443", "https://10.1.2.3:6443", true],
  ["10.0.0.0/8", "https://10.1.2.3", true],
  ["10.0.0.0/8", "https://11.1.2.3", false],
  ["10.0.0.0/8", "https://vault.example", false],
  ["10.0.0.0/99", "https://10.1.2.3", false],
  ["fd00::/8", "https://[fd00::1]:6443", true],
  ["fd00::1", "https://[fd00::1]:6443", true],
  ["[fd00::1]:6443", "https://[fd00::1]:6443", true],
  ["fd00::/8", "https://[fe80::1]", false],
])("NO_PROXY=%s and %s", (exceptions, address, isException) => {
  expect(proxyFor(address, { HTTPS_PROXY: proxy, NO_PROXY: exceptions })).toBe(isException ? undefined : proxy);
});

test.each(["http://user:hunter2@proxy example", "socks5://user:hunter2@proxy.example"])(
  "%s is refused, and not shown",
  (value) => {
    expect(() => proxyFor("https://vault.example", { HTTPS_PROXY: value })).toThrow(
      /^HTTPS_PROXY is no URL of a proxy: write http:\/\/host:port$/,
    );
  },
);
