export * from "./secret";
export * from "./secret-table";
export { findProblems, type Problem } from "./rules";
