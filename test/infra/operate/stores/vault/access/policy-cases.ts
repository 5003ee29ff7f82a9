interface PolicyCase {
  readonly what: string;
  readonly policies: readonly string[];
  readonly path: string;
  /** None where nothing is allowed. */
  readonly capabilities: readonly string[];
}

const path = (pattern: string, ...capabilities: string[]): string =>
  `path "${pattern}" { capabilities = ${JSON.stringify(capabilities)} }`;

/** What a token with some policies may do at a path; a real Vault is asked the same by `test/e2e/vault-policies.e2e.ts`. */
export const policyCases: readonly PolicyCase[] = [
  { what: "nothing is allowed that no rule names", policies: [path("a/b", "read")], path: "a/c", capabilities: [] },
  { what: "a path is matched whole", policies: [path("a/b", "read")], path: "a/b/c", capabilities: [] },
  {
    what: "a slash at its begin is no part of it",
    policies: [path("/a/b", "read")],
    path: "a/b",
    capabilities: ["read"],
  },
  { what: "* at its end is any rest", policies: [path("a/*", "read")], path: "a/b/c", capabilities: ["read"] },
  { what: "* ends a segment's begin too", policies: [path("a/b*", "read")], path: "a/bc/d", capabilities: ["read"] },
  { what: "* alone is everything", policies: [path("*", "read")], path: "a/b", capabilities: ["read"] },
  { what: "* elsewhere is itself", policies: [path("a/*/c", "read")], path: "a/b/c", capabilities: [] },
  { what: "+ is one segment", policies: [path("a/+/c", "read")], path: "a/b/c", capabilities: ["read"] },
  { what: "+ is no more than one segment", policies: [path("a/+", "read")], path: "a/b/c", capabilities: [] },
  { what: "+ inside of a segment is itself", policies: [path("a+b/c", "read")], path: "axb/c", capabilities: [] },
  {
    what: "+ and * go together",
    policies: [path("a/+/c/*", "read")],
    path: "a/b/c/d/e",
    capabilities: ["read"],
  },
  {
    what: "the whole path goes before a prefix, whatever it allows",
    policies: [path("a/*", "read", "update"), path("a/b", "list")],
    path: "a/b",
    capabilities: ["list"],
  },
  {
    what: "the longer prefix goes before the shorter one",
    policies: [path("a/*", "read"), path("a/b/*", "list")],
    path: "a/b/c",
    capabilities: ["list"],
  },
  {
    what: "a prefix goes before a + that stands earlier",
    policies: [path("+/b/c", "read"), path("a/*", "list")],
    path: "a/b/c",
    capabilities: ["list"],
  },
  {
    what: "a + goes before a prefix that ends in its place",
    policies: [path("a/*", "read"), path("a/+", "list")],
    path: "a/b",
    capabilities: ["list"],
  },
  {
    what: "fewer + go before more of them",
    policies: [path("a/+/+/d", "read"), path("a/+/c/d", "list")],
    path: "a/b/c/d",
    capabilities: ["list"],
  },
  {
    what: "the same path in two policies allows what both allow",
    policies: [path("a/b", "read"), path("a/b", "list")],
    path: "a/b",
    capabilities: ["read", "list"],
  },
  {
    what: "deny at the same path ends it all",
    policies: [path("a/b", "read", "update"), path("a/b", "deny")],
    path: "a/b",
    capabilities: [],
  },
  {
    what: "deny beside others is deny alone",
    policies: [path("a/b", "read", "deny")],
    path: "a/b",
    capabilities: [],
  },
  {
    what: "deny at a less specific path does not count",
    policies: [path("a/*", "deny"), path("a/b", "read")],
    path: "a/b",
    capabilities: ["read"],
  },
  {
    what: "deny at a more specific path does",
    policies: [path("a/*", "read"), path("a/b", "deny")],
    path: "a/b",
    capabilities: [],
  },
  {
    what: "the old word read is read and list",
    policies: ['path "a/b" { policy = "read" }'],
    path: "a/b",
    capabilities: ["read", "list"],
  },
  {
    what: "JSON says the same",
    policies: ['{"path": {"a/*": {"capabilities": ["read"]}, "a/b": {"capabilities": ["list"]}}}'],
    path: "a/b",
    capabilities: ["list"],
  },
  {
    what: "comments say nothing",
    policies: [
      '# path "a/b" { capabilities = ["read"] }\n// so\n/* path "a/b" { } */ path "a/c" {\n  capabilities = ["read",] # all\n}',
    ],
    path: "a/b",
    capabilities: [],
  },
  {
    what: "parameters take no capability away",
    policies: [
      'path "a/b" {\n  capabilities = ["read"]\n  required_parameters = ["version"]\n  min_wrapping_ttl = "1s"\n}',
    ],
    path: "a/b",
    capabilities: ["read"],
  },
];
