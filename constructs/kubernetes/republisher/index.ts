export * from "./annotations";
export * from "./republisher";
