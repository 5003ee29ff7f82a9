import type { Check } from "../../constructs/check-props";

/** Whether a value is an environment that was checked, as far as can be seen of it; a config that was not is none. */
export const checkedEnvironment: Check = (value) =>
  typeof value === "object" && value !== null && ["name", "table", "charts"].every((key) => key in value)
    ? undefined
    : "is no checked environment: give what checkEnvironment or readEnvironment of aidbox-secrets-stack/operate returns";
