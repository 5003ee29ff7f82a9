export { DatabaseCa, type DatabaseCaProps } from "./ca";
export type { DatabaseConnection, DatabaseTls } from "./connection";
export { findDatabaseProblems } from "./rules";
export { caFolder as databaseCaFolder, databaseVariables } from "./variables";
