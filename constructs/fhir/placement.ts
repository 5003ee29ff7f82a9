import { childOf, childrenOf, type Element } from "./element";
import type { SecretField } from "./secret-fields";
import type { SecretReference } from "./secret-reference";

/** The resource with the references in the field. Errors begin with `at`, the resource's type and id. */
export function placeReferences(
  at: string,
  resource: Element,
  field: SecretField,
  references: readonly SecretReference[],
): Element {
  if (field === "jwt.keys.k") return placeInKeys(at, resource, references);
  if (field === "parameter.header") return addParameters(at, resource, "header", references);

  const [reference, ...more] = references;
  if (reference === undefined || more.length > 0) {
    throw new Error(`${at}: ${field} takes one secret, not ${references.length}`);
  }
  const [parent, name] = field.split(".");
  if (name === undefined) return mask(at, resource, field, field, reference);
  if (parent === "parameter") return addParameter(at, resource, field, name, reference);
  return { ...resource, [parent!]: mask(at, childOf(at, resource, parent!), field, name, reference) };
}

/** In FHIR's JSON the extensions of the primitive `x` lie in `_x` beside it: https://hl7.org/fhir/R4/json.html#primitive */
function mask(at: string, element: Element, field: string, name: string, reference: SecretReference): Element {
  const sibling = `_${name}`;
  if (element[name] !== undefined || element[sibling] !== undefined) throw occupied(at, field);
  return { ...element, [sibling]: reference };
}

function occupied(at: string, field: string): Error {
  return new Error(`${at}: ${field} has a value already. Leave it out: the reference takes its place`);
}

/** Only a symmetric key has a `k`, so the references go to those in their order. */
function placeInKeys(at: string, introspector: Element, references: readonly SecretReference[]): Element {
  const jwt = childOf(at, introspector, "jwt");
  const keys = childrenOf(at, jwt, "keys");
  const isSymmetric = (key: Element): boolean => key.kty === "OCT";
  const count = keys.filter(isSymmetric).length;
  if (count !== references.length) {
    throw new Error(
      `${at}: jwt.keys.k takes one secret for each key with kty: "OCT". ` +
        `Such keys: ${count}, secrets named: ${references.length}`,
    );
  }
  const left = [...references];
  const masked = keys.map((key) => (isSymmetric(key) ? mask(at, key, "jwt.keys.k", "k", left.shift()!) : key));
  return { ...introspector, jwt: { ...jwt, keys: masked } };
}

function addParameter(
  at: string,
  destination: Element,
  field: string,
  name: string,
  reference: SecretReference,
): Element {
  const parameters = childrenOf(at, destination, "parameter");
  if (parameters.some((parameter) => parameter.name === name)) throw occupied(at, field);
  return addParameters(at, destination, name, [reference]);
}

/** Shape from https://www.health-samurai.io/docs/aidbox/tutorials/subscriptions-tutorials/webhook-aidboxtopicdestination */
function addParameters(
  at: string,
  destination: Element,
  name: string,
  references: readonly SecretReference[],
): Element {
  const added = references.map((reference) => ({ name, _valueString: reference }));
  return { ...destination, parameter: [...childrenOf(at, destination, "parameter"), ...added] };
}
