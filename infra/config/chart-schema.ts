import * as z from "zod";
import { matching, text } from "./primitives";

export const url = z
  .url({
    protocol: /^https?$/,
    error: "write a URL that begins with http:// or https://",
  })
  // Which Node leaves out, and Go refuses.
  .refine((text) => !/[\s\p{C}]/u.test(text), "write it without spaces")
  .refine(namesHost, "write a host's name or address behind https://, as https://vault.example.com");

/** Node takes nearly everything for a host's name, as `${HOST}`, two hosts with a comma, or `https:` of an address written twice. */
function namesHost(text: string): boolean {
  const { hostname, pathname } = URL.canParse(text) ? new URL(text) : { hostname: "", pathname: "" };
  if (hostname === "") return true; // told already
  return /^([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/.test(hostname) && !/^\/\/+[^/]/.test(pathname);
}

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
