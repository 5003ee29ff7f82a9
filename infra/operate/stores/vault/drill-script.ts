/** Folder in memory in which a drill's Vault has its storage. */
export const drillFolder = "/drill";

/** Configuration of a drill's Vault: it listens inside its pod alone. */
export const drillConfig = JSON.stringify({
  disable_mlock: true,
  storage: { raft: { path: `${drillFolder}/data`, node_id: "drill" } },
  listener: { tcp: { address: "127.0.0.1:8200", cluster_address: "127.0.0.1:8201", tls_disable: true } },
  api_addr: "http://127.0.0.1:8200",
  cluster_addr: "http://127.0.0.1:8201",
  // Since 2.0 it would ask for a token, and those in the snapshot are nobody's here.
  enable_unauthenticated_access: ["generate-root"],
});

// Its first keys live in this shell until the snapshot's take their place. Then it starts anew, since it remembers how many
// shares it asked for before. Configuration and snapshot are the arguments.
export const drillScript = `
set -eu
umask 077
export VAULT_ADDR=http://127.0.0.1:8200
export TMPDIR=${drillFolder} # Vault unpacks a snapshot there
mkdir ${drillFolder}/data
printf %s "$1" > ${drillFolder}/vault.json
serve() { vault server -config=${drillFolder}/vault.json < /dev/null > ${drillFolder}/log 2>&1 & server=$!; }
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
serve
answers
keys=$(vault operator init -key-shares=1 -key-threshold=1)
VAULT_TOKEN=$(printf %s "$keys" | sed -n 's/^Initial Root Token: //p')
export VAULT_TOKEN
printf %s "$keys" | sed -n 's/^Unseal Key 1: //p' | tr -d '\\n' | vault write sys/unseal key=- > /dev/null
for try in $(seq 300); do
  [ "$(vault read -field=is_self sys/leader 2> /dev/null)" != true ] || break
  sleep 0.2
done
vault operator raft snapshot restore -force "$2"
kill $server
wait $server || true
unset VAULT_TOKEN
serve
answers
`.trim();
