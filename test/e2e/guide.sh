#!/usr/bin/env bash
# The vendor's guide by hand, for comparison: helm, kubectl and vault, from an empty cluster to a secret in the pod.
#   guide.sh up | keep | down
# `keep` is `up` with the guide's advice for production in one thing: a Vault with storage, opened here; it prints its root token.
# CHARTS_DIR names the folder with the charts. The injector, which the guide's own flow never uses, is off: its image
# would be one more to pull.
set -euo pipefail
charts=${CHARTS_DIR:?set CHARTS_DIR to the folder with the charts}
image=${AIDBOX_IMAGE:-healthsamurai/aidboxone:2605}

keep() {
  server=()
  up
}

# Initialises a Vault with storage, unseals it, and logs in, in its pod, where the guide's commands run.
open_vault() {
  until kubectl exec vault-0 -- vault status >/dev/null 2>&1 || [ $? = 2 ]; do sleep 0.5; done
  local told token
  told=$(kubectl exec vault-0 -- vault operator init -key-shares=1 -key-threshold=1)
  token=$(sed -n 's/^Initial Root Token: //p' <<<"$told")
  kubectl exec vault-0 -- vault operator unseal "$(sed -n 's/^Unseal Key 1: //p' <<<"$told")" >/dev/null
  until kubectl exec vault-0 -- vault login "$token" >/dev/null 2>&1; do sleep 0.5; done
  kubectl exec vault-0 -- vault secrets enable -path=secret kv-v2 >/dev/null
  echo "$token"
}

server=(--set server.dev.enabled=true)

up() {
  helm install csi "$charts/secrets-store-csi-driver" --namespace kube-system \
    --set syncSecret.enabled=true --set enableSecretRotation=true --set rotationPollInterval=30s >/dev/null
  helm install vault "$charts/vault" "${server[@]}" --set csi.enabled=true --set injector.enabled=false >/dev/null
  # The guide waits at once; a pod that is not made yet is an error to kubectl wait.
  until kubectl get pod vault-0 >/dev/null 2>&1; do sleep 0.2; done
  [ ${#server[@]} -gt 0 ] || open_vault
  kubectl wait --for=condition=ready pod -l app.kubernetes.io/name=vault --timeout=120s >/dev/null
  kubectl wait --for=condition=ready pod -l app.kubernetes.io/name=vault-csi-provider --timeout=120s >/dev/null

  # A mount that was just made is upgraded for a moment.
  until kubectl exec vault-0 -- vault kv put secret/aidbox/client client-secret=by-the-guide >/dev/null 2>&1; do sleep 0.5; done
  kubectl exec vault-0 -- vault auth enable kubernetes >/dev/null
  kubectl exec vault-0 -- sh -c 'vault write auth/kubernetes/config \
    kubernetes_host="https://$KUBERNETES_PORT_443_TCP_ADDR:443"' >/dev/null
  kubectl exec -i vault-0 -- vault policy write aidbox /dev/stdin >/dev/null <<'EOF'
path "secret/data/aidbox/*" {
  capabilities = ["read"]
}
EOF
  kubectl exec vault-0 -- vault write auth/kubernetes/role/aidbox bound_service_account_names=aidbox \
    bound_service_account_namespaces=default policies=aidbox ttl=1h >/dev/null 2>&1
  manifests | kubectl apply -f - >/dev/null
  kubectl rollout status deploy/aidbox --timeout=180s >/dev/null
  [ "$(kubectl exec deploy/aidbox -- cat /run/vault-secrets/client-secret)" = by-the-guide ]
}

manifests() {
  cat <<EOF
apiVersion: v1
kind: ServiceAccount
metadata:
  name: aidbox
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: aidbox-vault-secrets
spec:
  provider: vault
  parameters:
    vaultAddress: "http://vault.default:8200"
    roleName: "aidbox"
    objects: |
      - objectName: "client-secret"
        secretPath: "secret/data/aidbox/client"
        secretKey: "client-secret"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: aidbox
spec:
  selector: { matchLabels: { app: aidbox } }
  template:
    metadata: { labels: { app: aidbox } }
    spec:
      serviceAccountName: aidbox
      containers:
        - name: aidbox
          image: $image
          env:
            - { name: AIDBOX_SECRET_FILES_ENABLED, value: "true" }
            - { name: AIDBOX_SECRET_FILES_DIRS, value: /run/vault-secrets }
          volumeMounts:
            - { name: vault-secrets, mountPath: /run/vault-secrets, readOnly: true }
      volumes:
        - name: vault-secrets
          csi:
            driver: secrets-store.csi.k8s.io
            readOnly: true
            volumeAttributes: { secretProviderClass: aidbox-vault-secrets }
EOF
}

down() {
  kubectl delete --ignore-not-found --wait deploy/aidbox >/dev/null
  kubectl wait --for=delete pod -l app=aidbox --timeout=60s >/dev/null 2>&1 || true
  kubectl delete --ignore-not-found secretproviderclass/aidbox-vault-secrets serviceaccount/aidbox >/dev/null 2>&1 || true
  for release in vault csi; do
    local namespace
    namespace=$(helm list --all-namespaces --filter "^$release\$" --no-headers | awk '{print $2}')
    [ -z "$namespace" ] || helm uninstall "$release" --namespace "$namespace" --wait >/dev/null
  done
  # Helm does not wait for it, and the next Vault's pod has its name.
  kubectl wait --for=delete pod/vault-0 --timeout=60s >/dev/null 2>&1 || true
  kubectl delete --ignore-not-found pvc/data-vault-0 >/dev/null
  kubectl delete --ignore-not-found secret/vault-csi-provider-hmac-key >/dev/null
}

"$1"
