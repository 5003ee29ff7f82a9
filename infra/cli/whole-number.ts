import { InvalidArgumentError } from "commander";

/** Parses an option's argument. @throws InvalidArgumentError where it is no whole number */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("write a whole number");
  return Number(text);
}
