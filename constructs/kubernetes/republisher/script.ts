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

roll() {
  statuses=$(list $api/apis/secrets-store.csi.x-k8s.io/v1/namespaces/$NAMESPACE/secretproviderclasspodstatuses) || return
  printf %s "$statuses" | sed 's/{"apiVersion"/\\n&/g' | grep -F "\\"secretProviderClassName\\":\\"$ROLL_CLASS\\"" > /tmp/statuses
  for object in $ROLL_OBJECTS; do grep -oF -e "\\"id\\":\\"$object\\",\\"version\\":" /tmp/statuses > /dev/null || return; done
  grep -o '"id":"[^"]*","version":"[^"]*"' /tmp/statuses | sort -u > /tmp/all
  for object in $ROLL_OBJECTS; do grep -F "\\"id\\":\\"$object\\"," /tmp/all; done > /tmp/versions
  # While the pods differ, not all have the new version yet.
  [ $(wc -l < /tmp/versions) = $(printf '%s\\n' $ROLL_OBJECTS | wc -l) ] || return
  objects=$(printf %s "$ROLL_OBJECTS" | sha256sum | cut -c 1-8)
  now=$objects-$(sha256sum < /tmp/versions | cut -c 1-32)
  deployment=$api/apis/apps/v1/namespaces/$NAMESPACE/deployments/$ROLL_DEPLOYMENT
  current=$(list $deployment) || return
  known=$(printf %s "$current" | grep -o "\\"$ENVIRONMENT\\":\\"[^\\"]*\\"" | head -n 1 | cut -d '"' -f 4)
  [ "$known" != "$now" ] || return 0
  noted="\\"metadata\\":{\\"annotations\\":{\\"$ENVIRONMENT\\":\\"$now\\"}}"
  case $known in
    $objects-*)
      sleep 3 # for the driver to bring the Kubernetes Secret in line
      merge --data "{$noted,\\"spec\\":{\\"template\\":{$noted}}}" $deployment && echo "rolled $ROLL_DEPLOYMENT: its environment changed" ;;
    *) merge --data "{$noted}" $deployment ;;
  esac
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
