import pulumi
import pulumi_aidbox_components as components

config = pulumi.Config()
aidbox = components.Aidbox(
    "aidbox",
    namespace="aidbox",
    image="healthsamurai/aidboxone:2605",
    vault_address=config.get("vaultAddress") or "https://vault.example.com:8200",
    secrets=[
        components.AidboxSecretArgs(name="client-secret", path="aidbox/client", resource_type="Client"),
        components.AidboxSecretArgs(name="admin-password", path="aidbox/admin", environment="BOX_ADMIN_PASSWORD"),
    ],
)
pulumi.export("service", aidbox.service)
pulumi.export("policy", aidbox.policy)
