export * from "./annotations";
export * from "./republisher";
export type { QuietWindow, RollSchedule } from "./roll-schedule";
