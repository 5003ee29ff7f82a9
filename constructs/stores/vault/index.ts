export * from "./api";
export * from "./guards";
export { writeKeypairCommand } from "./keypair-command";
export { mountOfLogin } from "./login-mount";
export * from "./names";
export { type ParameterValue, type PolicyRule, policyText, readPolicy } from "./policy";
export * from "./token-refusal";
