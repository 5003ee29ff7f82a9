export * from "./aidbox";
export * from "./aidbox-chart";
export * from "./namespace";
export * from "./republisher";
export * from "./secret-provider-class";
export * from "./vault-address";
export * from "./vault-config";
