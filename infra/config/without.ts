/** An object without some of its keys. */
export function without<T extends object, K extends PropertyKey>(value: T, ...keys: readonly K[]): Omit<T, K> {
  const kept = Object.entries(value).filter(([key]) => !keys.some((each) => each === key));
  return Object.fromEntries(kept) as Omit<T, K>;
}
