import * as z from "zod";
import { lasting, matching } from "./primitives";

const timeOfDay = matching(/^([01]\d|2[0-3]):[0-5]\d$/, "write a time of the day in UTC, as 01:30");

/** When the pods are rolled for a changed secret that they have as environment. */
export const rolls = z
  .strictObject(
    {
      batch: lasting("the time")
        .optional()
        .describe("Time from a change on, within which further ones come to the same roll; by default none"),
      quietWindow: z
        .strictObject(
          {
            from: timeOfDay.describe("When it opens, in UTC, as `01:00`"),
            to: timeOfDay.describe("When it closes, in UTC; before `from` it is of the next day"),
          },
          "write { from, to }",
        )
        .optional()
        .describe("Time of each day for which such a roll waits; by default none"),
    },
    "write { batch, quietWindow }",
  )
  .prefault({})
  .describe(
    "When pods are rolled for a rotation of what they have as environment; at once for a database's password and the keypair of tokens",
  );
