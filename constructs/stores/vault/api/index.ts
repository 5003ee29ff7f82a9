export * from "./client";
export * from "./database-mount";
export * from "./kv-mount";
