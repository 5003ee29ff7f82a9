import { isPlaceholder } from "../../../placeholder";
import type { Problem } from "../../../secrets";
import type { CheckedProps } from "./checked-props";
import { plainText } from "./environment";
import { hostProblems } from "./hosts";

/** What is wrong with how the world reaches Aidbox. */
export function exposureProblems({ ingress, gatewayRoute, environment }: CheckedProps): Problem[] {
  const problems = baseUrlProblems({ environment });
  if (ingress !== undefined) {
    const { hosts, tls, tlsSecretName, path, pathType } = ingress;
    problems.push(...hostProblems("ingress.hosts", hosts), ...pathProblems("ingress.path", path, pathType));
    if (tls === false && tlsSecretName !== undefined) {
      problems.push({
        key: "ingress",
        message: `tls false stands beside tlsSecretName "${tlsSecretName}": remove one of them`,
      });
    }
  }
  if (gatewayRoute !== undefined) {
    const { hostnames, parentRefs, path } = gatewayRoute;
    problems.push(...hostProblems("gatewayRoute.hostnames", hostnames), ...pathProblems("gatewayRoute.path", path));
    if (parentRefs.length === 0) {
      problems.push({
        key: "gatewayRoute.parentRefs",
        message: "[]: no Gateway serves the route: name one, as { name: public, namespace: gateways }",
      });
    }
  }
  return problems;
}

/** Aidbox builds its links by it. */
function baseUrlProblems({ environment }: CheckedProps): Problem[] {
  const url = plainText(environment?.BOX_WEB_BASE_URL);
  if (url === undefined || isPlaceholder(url)) return [];
  if (/^https?:\/\/[^\s/*]+(\/\S*)?$/.test(url) && URL.canParse(url)) return [];
  const message = `"${url}": write a URL with https:// or http://, as https://aidbox.example.com`;
  return [{ key: "environment.BOX_WEB_BASE_URL", message }];
}

/** As the API server and Gateway API's schema check a path. */
const wholePath = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;

/** @param type how a path of an Ingress is matched; one that its controller alone knows may be a pattern */
function pathProblems(key: string, path: string | undefined, type = "Prefix"): Problem[] {
  if (path === undefined || isPlaceholder(path)) return [];
  if (!path.startsWith("/")) {
    return [{ key, message: `"${path}": write a path with its leading slash, as "/${path}"` }];
  }
  if (type === "ImplementationSpecific") return [];
  if (wholePath.test(path) && !/\/\/|\/\.{1,2}(\/|$)|%2f/i.test(path)) return [];
  return [{ key, message: `"${path}": write a path alone, without '//', '/..', '?', '#' and patterns, as /fhir` }];
}
