import { BlockList, isIP } from "node:net";

/**
 * The proxy on the way to an address, by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (in lower case too), as Vault's and
 * Kubernetes' own programs read them: a loopback address has none, and `NO_PROXY` has names, `.suffixes`, addresses, networks
 * and `*`. Undici's and Node's own reading of them knows neither loopback nor networks.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 * @returns its URL; undefined where there is none
 * @throws Error where a variable is no URL; it may hold a password, so it is not shown
 */
export function proxyFor(address: string, variables: NodeJS.ProcessEnv = process.env): string | undefined {
  const { protocol, hostname, port } = new URL(address);
  const name = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const given = valueOf(variables, name);
  const host = hostname.replaceAll(/^\[|\]$/g, "").toLowerCase();
  if (given === undefined || isLoopback(host)) return undefined;
  const target = { host, port: port || (protocol === "https:" ? "443" : "80") };
  const exceptions = (valueOf(variables, "NO_PROXY") ?? "").split(",").map((each) => each.trim().toLowerCase());
  if (exceptions.some((each) => each !== "" && isMeant(each, target))) return undefined;
  const url = given.includes("://") ? given : `http://${given}`;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Error(`${name} is no URL of a proxy: write http://host:port`);
  return url;
}

function valueOf(variables: NodeJS.ProcessEnv, name: string): string | undefined {
  return variables[name] || variables[name.toLowerCase()] || undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function isMeant(exception: string, { host, port }: { readonly host: string; readonly port: string }): boolean {
  if (exception === "*") return true;
  if (exception.includes("/")) return isInNetwork(exception, host);
  const [, bracketed, plain, ofPort = port] = /^(?:\[(.+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(exception) ?? [];
  const name = (bracketed ?? plain ?? exception).replace(/^\*\./, ".");
  if (ofPort !== port) return false;
  if (isIP(name) !== 0) return name === host;
  return name.startsWith(".") ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isInNetwork(network: string, host: string): boolean {
  const [address = "", length = ""] = network.split("/");
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(length) || Number(length) > longest) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(address, Number(length), type);
  return list.check(host, type);
}
