import * as z from "zod";
import { dnsLabel as labelRule } from "../../constructs/secrets/problem";
import { mountRule } from "../../constructs/stores/vault/syntax";
import { seconds } from "./quantity";

export const text = z.string("write text");

/** Text that must not be empty. */
export const filled = text.min(1, "write text");

/** Text of a certain form, with the same words for another form as for another type. */
export const matching = (pattern: RegExp, fix: string) => z.string(fix).regex(pattern, { error: fix, abort: true });

export const textByName = z.record(text, text);

/** As many as Kubernetes can count. */
export const whole = z.int("write a whole number").max(2 ** 31 - 1, { error: "write a smaller number", abort: true });

/** Whether none stands twice. */
export const once = (names: readonly string[]): boolean => new Set(names).size === names.length;

export const port = whole.min(1, "write a port from 1 to 65535").max(65535, "write a port from 1 to 65535");

export const flag = z.boolean("write true or false");

export const dnsLabel = matching(labelRule.accepts, labelRule.fix);

/** Ten years, in seconds: beyond it are slips, and numbers that Kubernetes cannot hold. */
const longest = 10 * 365 * 86_400;

const bounded = (what: string) =>
  [(text: string) => seconds(text) <= longest, `write ${what} of up to 87600h`] as const;

export const duration = (what: string) =>
  matching(/^\d+(s|m|h)$/, `write ${what} as a whole number with its unit: 90s, 5m or 1h`).refine(...bounded(what));

/** A duration of which none would make no sense. */
export const lasting = (what: string) =>
  matching(/^0*[1-9]\d*(s|m|h)$/, `write ${what} as a whole number above 0 with its unit: 90s, 5m or 1h`).refine(
    ...bounded(what),
  );

/** Path of something mounted in Vault. */
export const mountPath = (example: string) => {
  const { accepts, fix } = mountRule(example);
  return matching(accepts, fix);
};

/** Text that reaches a policy of Vault as one of several words. */
export const word = (what: string) => matching(/^[^\s"\\*\p{C}]+$/u, `write ${what} without spaces, quotes and '*'`);

/** Id of something in Entra ID. */
export const guid = (what: string) =>
  matching(
    /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/,
    `write the id of ${what}, as 11111111-1111-1111-1111-111111111111`,
  );
