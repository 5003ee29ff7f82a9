export * from "./keypair";
export * from "./keypair-kind";
export * from "./keypair-values";
export * from "./secret";
export * from "./secret-table";
export { findMountProblems, findSecretProblems, type Problem, reservedVariables } from "./rules";
