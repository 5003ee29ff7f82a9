import * as z from "zod";
import { port, text, textByName } from "./primitives";

const nothing = z.never().optional();

/** Who may reach pods, or whom they may reach. */
export const peer = z.union(
  [
    // Each knows the other's keys, so that an object with any of both is held to none of them alone.
    z.strictObject({ cidr: text, podLabels: nothing, namespaceLabels: nothing }),
    z.strictObject({ podLabels: textByName.optional(), namespaceLabels: textByName.optional(), cidr: nothing }),
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
