import { closest, distance } from "fastest-levenshtein";

/** The one of several names that somebody may have meant; undefined where none is near. */
export function suggest(name: string, names: readonly string[]): string | undefined {
  const low = (text: string): string => text.toLowerCase();
  if (names.length === 0) return undefined;
  const near = closest(low(name), names.map(low));
  const edits = distance(low(name), near);
  // Two letters change places by two edits. Of a short word, or of more than a third of the letters, another is as near.
  if (edits > (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3)))) return onlyWith(name, names);
  return names.find((each) => low(each) === near);
}

/** The one name that begins with it, as `period` may be said for `periodSeconds`. */
function onlyWith(name: string, names: readonly string[]): string | undefined {
  const [first, ...others] = names.filter((each) => each.startsWith(name));
  return name.length > 2 && others.length === 0 ? first : undefined;
}
