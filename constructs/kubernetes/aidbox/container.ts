/** Folders of the Aidbox container at which the stack mounts something else than the secrets. */
export const containerFolders = {
  temporary: "/tmp",
  /** vault-config.json */
  config: "/etc/aidbox",
  initBundle: "/etc/aidbox-init-bundle",
  /** CA of the database's certificate */
  databaseCa: "/etc/aidbox-database",
} as const;

/** Variables of the Aidbox container that the stack itself sets. */
export const reservedVariables: readonly string[] = [
  "BOX_WEB_PORT",
  "BOX_METRICS_PORT",
  "BOX_VAULT_CONFIG",
  "AIDBOX_SECRET_FILES_ENABLED",
  "AIDBOX_SECRET_FILES_DIRS",
];
