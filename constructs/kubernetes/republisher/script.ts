// The API server's table form has each name in the first cell, and a list of one kind each item after its apiVersion, so
// that no JSON parser is needed. The token is read anew since it expires, and stays out of the arguments.
export const script = `
account=/var/run/secrets/kubernetes.io/serviceaccount
api=https://kubernetes.default.svc
call() { curl --silent --show-error --fail --max-time 10 --cacert $account/ca.crt --header @/tmp/authorization "$@"; }
list() { call --get --data pretty=false "$@"; }
merge() { call --output /dev/null --request PATCH --header 'Content-Type: application/merge-patch+json' "$@"; }

republish() {
  pods=$api/api/v1/namespaces/$NAMESPACE/pods
  table=$(list --header 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' --data-urlencode "labelSelector=$SELECTOR" --data includeObject=None $pods) || return
  body="{\\"metadata\\":{\\"annotations\\":{\\"$REPUBLISH\\":\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\"}}}"
  for pod in $(printf %s "$table" | grep -o '"cells":\\["[^"]*"' | cut -d '"' -f 4); do
    merge --data "$body" $pods/$pod/status || echo "$pod was not published again"
  done
  date +%s > /tmp/last
}

annotation() { printf %s "$current" | grep -o "\\"$1\\":\\"[^\\"]*\\"" | head -n 1 | cut -d '"' -f 4; }

# is_due SINCE: whether a change that was seen then, or is not to wait, may be rolled for
is_due() {
  [ "$1" != now ] || return 0
  seconds=$(date +%s)
  [ $((seconds - $1)) -ge $ROLL_BATCH ] || return
  [ -n "$ROLL_FROM" ] || return 0
  minute=$((seconds / 60 % 1440))
  if [ $ROLL_FROM -lt $ROLL_TO ]; then [ $minute -ge $ROLL_FROM ] && [ $minute -lt $ROLL_TO ]; return; fi
  [ $minute -ge $ROLL_FROM ] || [ $minute -lt $ROLL_TO ]
}

roll() {
  statuses=$(list $api/apis/secrets-store.csi.x-k8s.io/v1/namespaces/$NAMESPACE/secretproviderclasspodstatuses) || return
  printf %s "$statuses" | sed 's/{"apiVersion"/\\n&/g' | grep -F "\\"secretProviderClassName\\":\\"$ROLL_CLASS\\"" > /tmp/statuses
  for object in $ROLL_OBJECTS; do grep -oF -e "\\"id\\":\\"$object\\",\\"version\\":" /tmp/statuses > /dev/null || return; done
  grep -o '"id":"[^"]*","version":"[^"]*"' /tmp/statuses | sort -u > /tmp/all
  for object in $ROLL_OBJECTS; do grep -F "\\"id\\":\\"$object\\"," /tmp/all; done > /tmp/versions
  # While the pods differ, not all have the new version yet.
  [ $(wc -l < /tmp/versions) = $(printf '%s\\n' $ROLL_OBJECTS | wc -l) ] || return
  for object in $ROLL_AT_ONCE; do grep -F "\\"id\\":\\"$object\\"," /tmp/all; done > /tmp/at-once
  objects=$(printf %s "$ROLL_OBJECTS" | sha256sum | cut -c 1-8)
  all=$objects-$(sha256sum < /tmp/versions | cut -c 1-32)
  now=$all\${ROLL_AT_ONCE:+-$(sha256sum < /tmp/at-once | cut -c 1-16)}
  deployment=$api/apis/apps/v1/namespaces/$NAMESPACE/deployments/$ROLL_DEPLOYMENT
  current=$(list $deployment) || return
  known=$(annotation $ENVIRONMENT)
  since=$(annotation $PENDING)
  case $since in now) ;; 0* | *[!0-9]* | ???????????*) since= ;; esac
  noted="\\"metadata\\":{\\"annotations\\":{\\"$ENVIRONMENT\\":\\"$now\\"\${since:+,\\"$PENDING\\":null}}}"
  case $known in
    "$now") [ -z "$since" ] || merge --data "{$noted}" $deployment; return ;;
    "$all" | "$all"-*) merge --data "{$noted}" $deployment; return ;;
    $objects-*) ;;
    *) merge --data "{$noted}" $deployment; return ;;
  esac
  # What cannot wait is told apart by its own digest; where none is known, all of it could be.
  if [ -z "$ROLL_AT_ONCE" ] || [ "\${known##*-}" = "\${now##*-}" ]; then
    if ! is_due "\${since:-$(date +%s)}"; then
      [ -n "$since" ] || merge --data "{\\"metadata\\":{\\"annotations\\":{\\"$PENDING\\":\\"$(date +%s)\\"}}}" $deployment
      return
    fi
    # A roll that comes into another one runs more pods than either.
    case $current in *'"reason":"ReplicaSetUpdated"'* | *'"reason":"NewReplicaSetCreated"'* | *'"reason":"FoundNewReplicaSet"'*) return ;; esac
  fi
  sleep 3 # for the driver to bring the Kubernetes Secret in line
  template="\\"metadata\\":{\\"annotations\\":{\\"$ENVIRONMENT\\":\\"$now\\"}}"
  merge --data "{$noted,\\"spec\\":{\\"template\\":{$template}}}" $deployment && echo "rolled $ROLL_DEPLOYMENT: its environment changed"
}

umask 077
while :; do
  printf 'Authorization: Bearer %s' "$(cat $account/token)" > /tmp/authorization
  republish
  sleep 4 # for kubelet, driver and provider to do it
  [ -z "$ROLL_OBJECTS" ] || roll
  sleep $((INTERVAL - 4))
done
`.trim();
