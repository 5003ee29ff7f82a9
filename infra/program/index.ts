export { deployEnvironment } from "./deploy-environment";
export type { StackOutputs } from "../stack/outputs";
