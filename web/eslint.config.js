// `npm run check`, part of `make lint`: what TypeScript alone lets through.
import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: ["src/api/schema.d.ts", "component/dist/", "public/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["src/**/*.{ts,tsx}", "component/src/**/*.ts"],
    extends: [
      js.configs.recommended,
      ts.configs.recommendedTypeChecked,
      hooks.configs.flat.recommended,
      a11y.flatConfigs.recommended,
    ],
    languageOptions: {
      parserOptions: { project: ["tsconfig.json", "component/tsconfig.json"], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // { left: _, ...rest } is how something is left out.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, argsIgnorePattern: "^_" }],
      // The router's redirects are thrown, as it wants it.
      "@typescript-eslint/only-throw-error": ["error", { allow: [{ from: "package", package: "@tanstack/router-core", name: "Redirect" }] }],
      // A dialog and a page of one form begin in the first field.
      "jsx-a11y/no-autofocus": "off",
      // What scrolls must be reached with the keys (WCAG 2.1.1).
      "jsx-a11y/no-noninteractive-tabindex": ["error", { tags: ["pre"], roles: ["tabpanel", "group", "region"], allowExpressionValues: true }],
      // Nothing here goes through React's compiler.
      "react-hooks/incompatible-library": "off",
    },
  },
);
