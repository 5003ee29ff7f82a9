export * from "./annotations";
export { type EnvironmentRoll, Republisher, type RepublisherProps } from "./republisher";
export type { QuietWindow, RollSchedule } from "./roll-schedule";
