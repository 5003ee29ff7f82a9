import { type Keypair, partsOf } from "../../secrets";
import { shellCommand } from "../../shell-command";

/**
 * How an operator writes all parts of a keypair as one version; Vault's command line reads them from its standard input.
 *
 * @param version number of the path's current one, 0 where there is none: what somebody else writes meanwhile stays
 */
export function writeKeypairCommand(
  vaultCommand: string,
  kvMount: string,
  { kind, path }: Keypair,
  version: number,
): string {
  const files = partsOf(kind).map((part) => `--rawfile ${part} ${part}${part === "secret" ? ".txt" : ".pem"}`);
  return `jq -n ${files.join(" ")} '$ARGS.named' | ${vaultCommand} ${shellCommand("kv", "put", `-cas=${version}`, `-mount=${kvMount}`, path, "-")}`;
}
