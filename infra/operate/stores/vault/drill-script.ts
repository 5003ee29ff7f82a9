/** Folder in memory in which a drill's Vault has its storage. */
export const drillFolder = "/drill";

/** Variable of a drill's pod with the token for the Vault that holds the key of a transit seal. */
export const sealTokenVariable = "SEAL_TOKEN";

/**
 * Configuration of a drill's Vault: it listens inside its pod alone.
 *
 * @param seal as a server's configuration has it; none where key shares open what it holds
 */
export function drillConfig(seal?: object): string {
  return JSON.stringify({ ...common, ...(seal === undefined ? {} : { seal }) });
}

const common = {
  disable_mlock: true,
  storage: { raft: { path: `${drillFolder}/data`, node_id: "drill" } },
  listener: { tcp: { address: "127.0.0.1:8200", cluster_address: "127.0.0.1:8201", tls_disable: true } },
  api_addr: "http://127.0.0.1:8200",
  cluster_addr: "http://127.0.0.1:8201",
  // Since 2.0 it would ask for a token, and those in the snapshot are nobody's here.
  enable_unauthenticated_access: ["generate-root"],
};

// Its first keys live in this shell until the snapshot's take their place. Then it starts anew, since it remembers how many
// shares it asked for before; by the seal, where the snapshot has one: its first keys were no business of that. The arguments are
// the configurations before and after, and the snapshot.
export const drillScript = `
set -eu
umask 077
export VAULT_ADDR=http://127.0.0.1:8200
export TMPDIR=${drillFolder} # Vault unpacks a snapshot there
mkdir ${drillFolder}/data
# A seal takes the token that the environment has, and another Vault's address too.
serve() {
  printf %s "$1" > ${drillFolder}/vault.json
  (
    unset VAULT_ADDR
    export VAULT_TOKEN="\${${sealTokenVariable}-}"
    exec vault server -config=${drillFolder}/vault.json < /dev/null > ${drillFolder}/log 2>&1
  ) &
  server=$!
}
ended() { tail -n 5 ${drillFolder}/log >&2; exit 1; }
answers() {
  for try in $(seq 300); do
    code=0
    vault status > /dev/null 2>&1 || code=$?
    [ $code = 1 ] || return 0
    kill -0 $server 2> /dev/null || ended
    sleep 0.2
  done
  ended
}
serve "$1"
answers
keys=$(vault operator init -key-shares=1 -key-threshold=1)
VAULT_TOKEN=$(printf %s "$keys" | sed -n 's/^Initial Root Token: //p')
export VAULT_TOKEN
printf %s "$keys" | sed -n 's/^Unseal Key 1: //p' | tr -d '\\n' | vault write sys/unseal key=- > /dev/null
for try in $(seq 300); do
  [ "$(vault read -field=is_self sys/leader 2> /dev/null)" != true ] || break
  sleep 0.2
done
vault operator raft snapshot restore -force "$3"
kill $server
wait $server || true
unset VAULT_TOKEN
serve "$2"
answers
`.trim();
