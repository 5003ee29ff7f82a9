import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    // The two examples have a tsconfig.json of their own, by which their imports are a stranger's.
    ignores: ["imports/", "lib/", "dist/", "examples/component/", "examples/template/", "**/*.js", "**/*.mjs"],
  },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  // Text from elsewhere could steer the terminal: infra/cli/terminal.ts alone writes there.
  {
    files: ["bridge/**", "constructs/**", "infra/**"],
    ignores: ["infra/cli/terminal.ts"],
    rules: { "no-console": "error" },
  },
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A table of secrets is never empty where it is indexed; the checks of the strict compiler stay on.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
);
