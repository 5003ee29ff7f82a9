export * from "./client";
export * from "./database-mount";
export * from "./kv-mount";
export { NotKvV2Error } from "./kv-version";
