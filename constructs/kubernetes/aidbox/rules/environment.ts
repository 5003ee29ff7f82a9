import type { Problem } from "../../../secrets";
import { isSecretByForm, isSensitiveName } from "../../../secrets/plain-secret";
import type { CheckedProps } from "./checked-props";

/** What of the plain variables is a secret: the Deployment would show it to all who may read that. */
export function environmentProblems({ environment = {} }: CheckedProps): Problem[] {
  return Object.entries(environment)
    .filter(([variable, value]) => {
      const text = plainText(value);
      return text !== undefined && (isSensitiveName(variable) || isSecretByForm(text));
    })
    .map(([variable]) => ({
      key: `environment.${variable}`,
      message: `would be in plain text: leave it out, and give it a row of secrets, as ${rowFor(variable)}`,
    }));
}

/** What is written out: text, or an EnvValue of one; another is read from somewhere. */
export function plainText(value: unknown): string | undefined {
  const text = typeof value === "object" && value !== null && "value" in value ? value.value : value;
  return typeof text === "string" ? text : undefined;
}

function rowFor(variable: string): string {
  const name = variable
    .replace(/^(BOX|AIDBOX)_/, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return `{ name: ${name}, path: aidbox/${name}, environment: ${variable} }`;
}
