# What external-vault.ts does in Vault: the policy of the token that it runs with.
path "sys/policies/acl/aidbox" {
  capabilities = ["create", "read", "update", "delete"]
}

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/auth/kubernetes" {
  capabilities = ["create", "read", "update", "delete", "sudo"]
}

path "sys/mounts/auth/kubernetes" {
  capabilities = ["read"]
}

path "sys/mounts/auth/kubernetes/tune" {
  capabilities = ["read"]
}

path "auth/kubernetes/config" {
  capabilities = ["create", "read", "update"]
}

path "auth/kubernetes/role/aidbox" {
  capabilities = ["create", "read", "update", "delete"]
}

# It writes a first value where there is none, and reads the names of keys alone.
path "secret/subkeys/aidbox/+" {
  capabilities = ["read"]
}

path "secret/metadata/aidbox/+" {
  capabilities = ["create", "read", "update"]
}

path "secret/data/aidbox/+" {
  capabilities = ["create", "update", "patch"]
}
