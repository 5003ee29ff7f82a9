export * from "./secret";
export * from "./secret-table";
export { findProblems, type Problem, reservedVariables } from "./rules";
