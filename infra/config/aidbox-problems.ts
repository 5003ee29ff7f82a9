import { findAidboxProblems, labelProblems } from "../../constructs/kubernetes/aidbox/rules";
import { aidboxLabels } from "../../constructs/kubernetes/labels";
import type { Problem } from "../../constructs/secrets";
import { tokenKeyVariables } from "../../constructs/secrets/keypair";
import { type EnvironmentConfig, environmentSchema } from "./schema";

type AidboxConfig = EnvironmentConfig["aidbox"];

/** The rules between the keys of `aidbox`, for those that are well-formed, so that all errors show at once. */
export function aidboxProblems(aidbox: unknown): Problem[] {
  if (typeof aidbox !== "object" || aidbox === null) return [];
  const said = wellFormed(aidbox);
  const problems = [
    ...findAidboxProblems({ ...said, service: { type: said.serviceType } }),
    // The construct nests them below `pod`.
    ...labelProblems(said.podLabels ?? {}, aidboxLabels(said.name ?? "aidbox"), "podLabels"),
  ];
  // Those of a keypair's variables are told with its row.
  const ofKeypair = tokenKeyVariables.map((variable) => `environment.${variable}`);
  return problems
    .filter(({ key }) => !ofKeypair.includes(key))
    .map(({ key, message }) => ({ key: `aidbox.${key}`, message }));
}

/** What the config itself says, without defaults and without what the schema refuses. */
function wellFormed(aidbox: object): Partial<Omit<AidboxConfig, "resources">> {
  const { shape } = environmentSchema.shape.aidbox;
  return Object.fromEntries(
    Object.entries(aidbox).flatMap(([key, value]) => {
      if (!(key in shape) || key === "resources") return [];
      const parsed = shape[key as keyof typeof shape].safeParse(value);
      return parsed.success ? [[key, parsed.data]] : [];
    }),
  );
}
