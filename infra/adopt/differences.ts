/** A field in which what is there differs from what the config wants. */
export interface Difference {
  readonly path: string;
  /** As JSON; undefined where it is not there. */
  readonly now: string | undefined;
  /** As JSON; undefined where it falls back to a default. */
  readonly then: string | undefined;
}

/** A step of `pulumi preview --json`. */
export interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: PreviewState;
  readonly newState?: PreviewState;
}

interface PreviewState {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What Pulumi writes in a preview for what is not known yet. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What of a Release is about the release, and not about how Pulumi installs it. */
const ofRelease = ["values", "version"];

/** What differs of a resource, as its preview shows it. What the config says nothing of stays as it is, and is not named. */
export function differencesOf({ oldState, newState }: PreviewStep): Difference[] {
  const wanted = newState?.inputs ?? {};
  if (newState?.type === "kubernetes:helm.sh/v3:Release") {
    const found = oldState?.inputs ?? {};
    const pick = (from: Readonly<Record<string, unknown>>): Record<string, unknown> =>
      Object.fromEntries(ofRelease.filter((key) => key in from).map((key) => [key, from[key]]));
    const differences = compare(pick(found), pick(wanted), "");
    // Helm forgets a value that is no longer given; with `reuseValues` it keeps it.
    const lost = wanted.reuseValues === true ? [] : lostLeaves(found.values, wanted.values, "values");
    return [...differences, ...lost];
  }
  return compare(oldState?.outputs ?? {}, wanted, "").filter(
    ({ path }) => !/^metadata\.annotations\.pulumi/.test(path),
  );
}

function compare(found: unknown, wanted: unknown, path: string): Difference[] {
  if (wanted === unknownValue || path.split(".").pop()?.startsWith("__") === true) return [];
  if (isPlain(wanted)) {
    const from = isPlain(found) ? found : {};
    return Object.entries(wanted).flatMap(([key, value]) => compare(from[key], value, join(path, key)));
  }
  if (Array.isArray(wanted) && wanted.includes(unknownValue)) return [];
  const [now, then] = [textOf(found), textOf(wanted)];
  return now === then ? [] : [{ path, now, then }];
}

function lostLeaves(found: unknown, wanted: unknown, path: string): Difference[] {
  if (!isPlain(found)) return wanted === undefined ? [{ path, now: textOf(found), then: undefined }] : [];
  if (wanted !== undefined && !isPlain(wanted)) return []; // it was compared as a whole
  return Object.entries(found).flatMap(([key, value]) => lostLeaves(value, wanted?.[key], join(path, key)));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
