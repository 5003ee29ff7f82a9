import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

// Pulumi's language hosts, which the npm package `pulumi` lacks: on the PATH, or in the folder LANGUAGE_HOSTS.

const given = process.env.LANGUAGE_HOSTS;
const path = [given, process.env.PATH].filter((each) => each !== undefined).join(delimiter);

/** With which Pulumi finds them. */
export const languageHostsEnv: Readonly<Record<string, string>> =
  given === undefined ? {} : { PATH: path, PULUMI_IGNORE_AMBIENT_PLUGINS: "false" };

export function hasLanguageHost(language: "python" | "yaml"): boolean {
  return path.split(delimiter).some((folder) => existsSync(join(folder, `pulumi-language-${language}`)));
}
