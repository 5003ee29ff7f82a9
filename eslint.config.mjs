import eslint from "@eslint/js";
import importSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";

const nodeGlobals = ["__dirname", "__filename", "Buffer", "console", "globalThis", "performance", "process", "URL"];

export default tseslint.config(
  {
    // The two examples have a tsconfig.json of their own, by which their imports are a stranger's.
    ignores: ["imports/", "lib/", "dist/", "examples/component/", "examples/template/"],
  },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  // Text from elsewhere could steer the terminal: infra/cli/terminal.ts alone writes there; start.js does where it
  // cannot be loaded.
  {
    files: ["bridge/**", "constructs/**", "infra/**"],
    ignores: ["infra/cli/terminal.ts", "infra/cli/start.js"],
    rules: { "no-console": "error" },
  },
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "simple-import-sort": importSort }, // sorts by itself: `npx eslint --fix`
    rules: {
      // Node's modules, packages, then the project's, from the farthest folder to the nearest.
      "simple-import-sort/imports": ["error", { groups: [["^\\u0000", "^node:", "^@?\\w", "^\\.\\.", "^\\."]] }],
      "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
      // A table of secrets is never empty where it is indexed; the checks of the strict compiler stay on.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  // What runs before anything is compiled: without types, and as Node finds it.
  {
    files: ["**/*.js", "**/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, "readonly"])) },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  { files: ["**/*.js"], languageOptions: { sourceType: "commonjs" } },
);
