// What may import what: `npm run lint` checks it. ESLint's rules for circles leave out imports of types.
export default {
  forbidden: [
    {
      name: "no-circular",
      comment: "Files that import each other, also by types alone, cannot be read one after another",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "constructs-know-no-program",
      comment: "Others import the constructs into programs of their own",
      severity: "error",
      from: { path: "^constructs/" },
      to: { path: "^infra/" },
    },
    {
      name: "bridge-knows-nothing-else",
      comment: "It is a package of its own, for charts of anybody's",
      severity: "error",
      from: { path: "^bridge/" },
      to: { path: "^(constructs|examples|imports|infra|packages|test)/" },
    },
    {
      name: "constructs-know-no-bridge",
      comment: "They are cdk8s constructs and Pulumi components; who joins the two imports both",
      severity: "error",
      from: { path: "^constructs/" },
      to: { path: "^bridge/" },
    },
    {
      name: "secrets-know-no-store",
      comment: "The table of secrets and the interface of a store are the same for all stores",
      severity: "error",
      from: { path: "^constructs/(secrets|kubernetes|fhir)/" },
      to: { path: "^constructs/(stores|platform)/" },
    },
    {
      name: "stores-know-no-other-store",
      comment: "A store is one folder in each place that serves stores, and can be taken away",
      severity: "error",
      from: { path: "^(constructs|infra)/.*?stores/(vault|azure-key-vault|aws)/" },
      to: { path: "/stores/(vault|azure-key-vault|aws)/", pathNot: "/stores/$2/" },
    },
    {
      name: "commands-know-no-store",
      comment: "They ask the registry of their folder for the environment's store",
      severity: "error",
      from: { path: "^infra/(operate|plan|program)/", pathNot: "/stores/" },
      to: { path: "/stores/(vault|azure-key-vault|aws)/" },
    },
    {
      name: "yaml-needs-no-pulumi",
      comment: "The YAML, and what a command loads at its start, work where no Pulumi is installed",
      severity: "error",
      from: { path: "^constructs/(secrets|kubernetes|fhir|stores)/" },
      to: { path: "@pulumi/" },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true, // imports of types too
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["^dist/", "^lib/"] },
  },
};
