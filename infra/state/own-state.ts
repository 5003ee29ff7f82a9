import * as pulumi from "@pulumi/pulumi";
import { findPulumi } from "../cli/pulumi-cli";
import { readState, type StateResource } from "./stack-state";

/** The state of the stack that runs this program, as it was before the run. */
export function ownState(): Promise<readonly StateResource[]> {
  const organization = pulumi.getOrganization();
  const stack = pulumi.getStack();
  // A backend of files knows one organization, and not every one of them takes its name.
  const name = organization === "organization" ? stack : `${organization}/${pulumi.getProject()}/${stack}`;
  return readState(findPulumi(), name, { cwd: pulumi.getRootDirectory(), env: process.env });
}
