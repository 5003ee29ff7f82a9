import * as z from "zod";
import { port, text, textByName } from "./primitives";

/** Who may reach pods, or whom they may reach. */
export const peer = z.union(
  [
    z.strictObject({ cidr: text }),
    z.strictObject({ podLabels: textByName.optional(), namespaceLabels: textByName.optional() }),
  ],
  "write { podLabels, namespaceLabels }, or { cidr } with a range of addresses, as 10.1.2.3/32",
);

/** Whom pods may reach, and on which ports. */
export const target = z.strictObject({
  peer: peer.describe("Whom"),
  ports: z.array(port).describe("On which TCP ports"),
});

export const peers = z.array(peer, "write a list of { podLabels, namespaceLabels } or { cidr }");

export const targets = z.array(target, "write a list of { peer, ports }");
