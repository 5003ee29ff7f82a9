import { type Keypair, partsOf } from "../../secrets";
import { shellCommand } from "../../shell-command";

/** How an operator writes all parts of a keypair as one version; Vault's command line reads them from its standard input. */
export function writeKeypairCommand(vaultCommand: string, kvMount: string, { kind, path }: Keypair): string {
  const files = partsOf(kind).map((part) => `--rawfile ${part} ${part}${part === "secret" ? ".txt" : ".pem"}`);
  return `jq -n ${files.join(" ")} '$ARGS.named' | ${vaultCommand} ${shellCommand("kv", "put", `-mount=${kvMount}`, path, "-")}`;
}
