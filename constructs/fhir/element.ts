/** An element of a FHIR resource, as its JSON has it. */
export type Element = Readonly<Record<string, unknown>>;

function isElement(value: unknown): value is Element {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The element's child, empty where there is none yet. */
export function childOf(at: string, element: Element, name: string): Element {
  const child = element[name] ?? {};
  if (!isElement(child)) throw new Error(`${at}: ${name} is not an object`);
  return child;
}

/** The element's children, none where there are none yet. */
export function childrenOf(at: string, element: Element, name: string): readonly Element[] {
  const children: unknown = element[name] ?? [];
  if (!Array.isArray(children) || !children.every(isElement))
    throw new Error(`${at}: ${name} is not a list of objects`);
  return children;
}
