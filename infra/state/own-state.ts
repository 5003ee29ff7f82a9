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
  const state = await readState(findPulumi(), name, { cwd: pulumi.getRootDirectory(), env: ofNoRun(process.env) });
  return ownResources(state, pulumi.getProject());
}

/**
 * The variables without those of the run that this program is part of. With them Pulumi's command line sends its log to that
 * run's engine, and waits 5 s for it at its end.
 */
export function ofNoRun(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isOfRun = (name: string): boolean => name === "PULUMI_LOG_OTLP_ENDPOINT" || name.startsWith("PULUMI_NODEJS_");
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOfRun(name)));
}
