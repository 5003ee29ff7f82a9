import * as z from "zod";
import { matching, text } from "./primitives";

export const url = z
  .url({
    protocol: /^https?$/,
    error: "write a URL that begins with http:// or https://",
  })
  // Which Node leaves out, and Go refuses.
  .refine((text) => !/[\s\p{C}]/u.test(text), "write it without spaces");

const chartVersion = matching(/^v?\d+\.\d+\.\d+([-+].+)?$/, "write the chart's version, as 1.6.1");

const chartRepository = z.string().refine(isRepository, "write a URL that begins with https://, http:// or oci://");

function isRepository(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return /^(https?|oci):$/.test(protocol) && host !== "";
}

/** Where a chart comes from. */
export const chartSchema = z.union(
  [
    z.strictObject({ repository: chartRepository, version: chartVersion }),
    z.strictObject({ path: text.describe("Folder or archive of the chart") }),
  ],
  { error: "write { repository, version } with a version as 1.6.1, or { path } for a local folder or archive" },
);

export const chart = chartSchema.optional();

export const values = z.record(text, z.unknown(), "write an object of the chart's values").optional();
