export * from "./aidbox";
export * from "./aidbox-chart";
export type { DatabaseConnection, DatabaseTls } from "./database";
export * from "./namespace";
export * from "./postgres";
export * from "./republisher";
export * from "./secret-provider-class";
export * from "./vault-address";
export * from "./vault-config";
