export { DatabaseCa, type DatabaseCaProps } from "./ca";
export { type DatabaseConnection, databaseConnection, type DatabaseTls } from "./connection";
export { findDatabaseProblems } from "./rules";
export { databaseVariables } from "./variables";
