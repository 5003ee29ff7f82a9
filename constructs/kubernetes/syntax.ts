import { isIP } from "node:net";

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set, as the API server checks it

const domain = "[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*";
const name = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?";

/** What a label's or an annotation's key looks like. */
export const labelKey = new RegExp(`^((?=[^/]{1,253}/)${domain}/)?${name}$`);

/** What a label's value looks like; it may be empty. */
export const labelValue = new RegExp(`^(${name})?$`);

export const labelKeyFix =
  "write a label's key: up to 63 letters, digits, '-', '_' and '.', after a domain and '/' where it has one";

export const labelValueFix = "write up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";

/** Whether a text is a range of addresses, as `10.1.2.0/24` or `fd00::/8`. */
export function isCidr(text: string): boolean {
  const [address = "", bits = "", ...others] = text.split("/");
  const version = isIP(address);
  // A zone is one machine's own, and an address of IPv4 within one of IPv6 is another to each part of a cluster.
  if (version === 6 && /[%.]/.test(address)) return false;
  return version !== 0 && others.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}
