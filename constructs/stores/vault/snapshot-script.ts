/** Where a pod that takes or reads snapshots has what it needs. */
export const snapshotPaths = {
  /** Folder of the volume. */
  folder: "/snapshots",
  /** CA of Vault's certificate. */
  ca: "/vault/ca/ca.crt",
  /** Token of the pod's ServiceAccount, for Vault alone. */
  token: "/var/run/secrets/vault/token",
} as const;

/** Form of a snapshot's name, which is its time in UTC: sorted by name they are sorted by age. */
export const snapshotName = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.snap$/;

// A standby only points to the leader, and Vault's command line does not go there: "incomplete snapshot" (1.21.1, measured).
// What is under way has another ending, so that nobody takes it for a snapshot. `inspect` reads all of it, and compares it
// with the sums that Vault has put into it. Vault's token is in no argument.
export const snapshotScript = `
set -eu
umask 077
cd ${snapshotPaths.folder}
rm -f ./*.part
VAULT_ADDR=$(vault read -field=leader_address sys/leader)
[ -n "$VAULT_ADDR" ] || { echo 'Vault has no leader' >&2; exit 1; }
export VAULT_ADDR
name=$(date -u +%Y%m%dT%H%M%SZ).snap
VAULT_TOKEN=$(vault write -field=token "auth/$AUTH_MOUNT/login" role="$ROLE" jwt=@${snapshotPaths.token})
export VAULT_TOKEN
vault operator raft snapshot save "$name.part"
vault operator raft snapshot inspect "$name.part" > /dev/null
sync
mv "$name.part" "$name"
ls | grep '\\.snap$' | sort -r | tail -n +$((KEEP + 1)) | xargs -r rm -f
echo "saved $name, $(wc -c < "$name") bytes; $(ls | grep -c '\\.snap$') of $KEEP are there"
`.trim();
