import type { ApiObject, Duration, Size } from "cdk8s";
import type { IConstruct, Node } from "constructs";

/**
 * A type of cdk8s-plus that objects of each of its versions fit, as of `cdk8s-plus-33`: what is private does not count, an enum is
 * the texts of its members, and a class what it gives out.
 */
export type AnyVersion<T> = T extends string
  ? `${T}`
  : T extends Duration | Size | ApiObject | Node
    ? T
    : T extends (...args: never[]) => infer Result
      ? (...args: never[]) => AnyVersion<Result>
      : T extends object
        ? { [Key in keyof T]: AnyVersion<T[Key]> }
        : T;

/**
 * The object as cdk8s-plus 28's classes take it. They use of another version's what its type has too, and what renders it, which the
 * tests hold.
 */
export function asOwnVersion<T>(value: AnyVersion<T>): T {
  return value as unknown as T;
}

/** Of a construct of cdk8s-plus what is used of it, beside its place in the tree. */
export type Used<T extends IConstruct, Key extends keyof T> = IConstruct & AnyVersion<Pick<T, Key>>;
