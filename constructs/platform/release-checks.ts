import { type Check, object, optional, text } from "../check-props";

/** Where a Helm chart comes from. */
export const helmChart: Check = (value) => {
  const wrong = object(value);
  if (wrong !== undefined) return wrong;
  const given = value as Readonly<Record<string, unknown>>;
  const keys = "path" in given ? ["path"] : ["repository", "name", "version"];
  const isWhole = keys.every((key) => text(given[key]) === undefined);
  return isWhole ? undefined : "lacks a text: write { repository, name, version }, or { path } of a folder or archive";
};

/** What the props of every component have that installs a chart. */
export const releaseChecks = {
  chart: optional(helmChart),
  releaseName: optional(text),
  values: optional(object),
  repair: optional(text),
};
