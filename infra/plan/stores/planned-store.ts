import type { Secret } from "../../../constructs/secrets";
import type { Environment } from "../../config/environment";
import type { StackArgs } from "../../stack/stack-args";
import type { Lack } from "../lack";
import type { StoreStations } from "../station";

/** What a plan knows of a store. */
export interface PlannedStore<E extends Environment> {
  /** What a stack is deployed with where nothing outside may be asked. */
  args(environment: E, common: Omit<StackArgs, "environment">): StackArgs;
  /** The store's part of the picture. */
  stations(environment: E): StoreStations;
  /**
   * What this machine lacks to use it.
   *
   * @param isSet whether a secret of the stack's own is there, by its key of the config or by a variable
   */
  lacks(environment: E, isSet: (key: string, variable: string) => boolean): readonly Lack[];
  /** How an external secret comes into it. @default - by `write`, for which `up` waits */
  howToWrite?(environment: E, secret: Secret): string;
}
