/** One thing wrong with a table of secrets, or with a config. */
export interface Problem {
  /** Where: `secrets[0].path`. */
  readonly key: string;
  /** The value, what is wrong with it and what to write instead. */
  readonly message: string;
}

/** What a text must look like. */
export interface TextRule {
  /** What the whole text must match. */
  readonly accepts: RegExp;
  /** What to write instead. */
  readonly fix: string;
}

/** What is wrong with a text; nothing where there is none. */
export function textProblems(key: string, value: string | undefined, { accepts, fix }: TextRule): Problem[] {
  return value === undefined || accepts.test(value) ? [] : [{ key, message: `"${value}": ${fix}` }];
}

/** Name of most of Kubernetes' objects. */
export const dnsLabel: TextRule = {
  accepts: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  fix: "write a DNS label: up to 63 lower-case letters, digits and dashes",
};

/** A path or file below something; a leading dash would make an option of it, in the commands that are printed. */
export const relativePath = /^(?!-)(?!\.{1,2}(\/|$))[A-Za-z0-9_.-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_.-]+)*$/;

/** Whether one folder lies at or below another, either way. */
export function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
