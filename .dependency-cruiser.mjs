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
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true, // imports of types too
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["^dist/", "^lib/"] },
  },
};
