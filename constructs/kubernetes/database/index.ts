export { DatabaseCa, type DatabaseCaProps } from "./ca";
export type { DatabaseConnection, DatabaseTls } from "./connection";
export { findDatabaseProblems } from "./rules";
export { databaseVariables } from "./variables";
