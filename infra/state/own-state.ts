import * as pulumi from "@pulumi/pulumi";
import { findPulumi } from "../cli/pulumi-cli";
import { ownResources } from "./own-resources";
import { readState, type StateResource } from "./stack-state";

/** What the state of the stack that runs this program has of the environment, as it was before the run. */
export async function ownState(): Promise<readonly StateResource[]> {
  const organization = pulumi.getOrganization();
  const stack = pulumi.getStack();
  // A backend of files knows one organization, and not every one of them takes its name.
  const name = organization === "organization" ? stack : `${organization}/${pulumi.getProject()}/${stack}`;
  const state = await readState(findPulumi(), name, { cwd: pulumi.getRootDirectory(), env: process.env });
  return ownResources(state, pulumi.getProject());
}
