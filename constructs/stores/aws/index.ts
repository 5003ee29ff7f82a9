export * from "./object";
export { awsObjectName, wholeFile } from "./parameters";
export { type AwsLogin, findAwsLoginProblems } from "./rules";
export * from "./store";
