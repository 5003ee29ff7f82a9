export * from "./alert-rules";
export { dashboard } from "./dashboard";
export * from "./monitoring";
export * from "./pod-monitor";
export type * from "./watched";
