import * as pulumi from "@pulumi/pulumi";
import type { ManagedValues } from "../../constructs/platform";
import type { Environment } from "../config/environment";
import type { StackValues } from "../config/managed-values";
import { ownerOf } from "../config/names";
import { projectName } from "../config/project";
import type { StackOutputs } from "../stack/outputs";
import { deployStack, kubernetesProvider } from "../stack/stack";
import type { StackArgs } from "../stack/stack-args";
import { plannedStore } from "./stores";

/** A resource that the program would register with the engine. */
export interface PlannedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** URN of the component that it is part of; none at the top. */
  readonly parent: string | undefined;
  /** URNs of what it waits for: by dependsOn, by its inputs, or because its provider is made from them. */
  readonly dependencies: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What `up` would create in an empty cluster. */
export interface Plan {
  readonly resources: readonly PlannedResource[];
  readonly outputs: StackOutputs;
}

/** A request to register a resource, as far as a plan needs it. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  /** URN and id of the provider. */
  getProvider(): string;
}

/**
 * Runs the program that `pulumi up` runs, as the first preview of an empty cluster, on the SDK's in-process monitor:
 * nothing outside this process is asked.
 */
export async function recordPlan(environment: Environment): Promise<Plan> {
  const recorded: { urn: string; request: RegisterRequest; inputs: Record<string, unknown> }[] = [];
  const inputsOf = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        inputsOf.set(`${type}::${name}`, inputs as Record<string, unknown>);
        return { id: undefined, state: inputs as Record<string, unknown> };
      },
      call: ({ token }) => {
        throw new Error(`The program called ${token}, which a plan has no answer for`);
      },
    },
    projectName,
    environment.name,
    true,
  );
  observeRegistrations((request, urn) =>
    recorded.push({ urn, request, inputs: inputsOf.get(`${request.getType()}::${request.getName()}`) ?? {} }),
  );

  const owner = ownerOf(projectName, environment.name);
  const outputs = await runProgram(() => deployStack(plannedArgs(environment, owner)));
  return { resources: withEngineUrns(recorded), outputs };
}

function plannedArgs(environment: Environment, owner: string): StackArgs {
  const common = {
    cluster: { daemonSetReady: unreachable, secretsServed: unreachable, repairs: {} },
    kubernetes: kubernetesProvider(environment),
    owner,
    // A plan needs no passphrase, so it has no values; it shows none either.
    managedValues: pulumi.secret(noValues(environment)),
  };
  return plannedStore(environment).args(environment, common);
}

function noValues(environment: Environment): StackValues {
  const empty = ({ table }: Environment): ManagedValues =>
    Object.fromEntries(table.secrets.map(({ name }) => [name, ""]));
  return {
    ...empty(environment),
    ...Object.fromEntries(environment.tenants.map((each) => [each.tenant!, empty(each)] as const)),
  };
}

/** There is no cluster yet: whoever asks for it in a first preview has taken an unknown value for a known one. */
function unreachable(): Promise<never> {
  return Promise.reject(new Error("The program reached for the cluster in a plan"));
}

/** The mocks do not see parents and dependencies; their monitor does. */
function observeRegistrations(observe: (request: RegisterRequest, urn: string) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (
      request: RegisterRequest,
      done: (error: Error | null, response: { getUrn(): string }) => void,
    ) => Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) =>
    register(request, (error, response) => {
      if (error === null) observe(request, response.getUrn());
      done(error, response);
    });
}

async function runProgram<T>(program: () => T): Promise<T> {
  let result: T | undefined;
  await pulumi.runtime.runInPulumiStack(() => {
    result = program();
    return Promise.resolve({});
  });
  await pulumi.runtime.disconnect();
  return result!;
}

/** The mock monitor's URNs name the parent's type alone, and the stack as a parent; the engine names all types but that. */
function withEngineUrns(
  recorded: readonly { urn: string; request: RegisterRequest; inputs: Record<string, unknown> }[],
): PlannedResource[] {
  const stackType = "pulumi:pulumi:Stack";
  const byMockUrn = new Map(recorded.map((each) => [each.urn, each.request]));
  const typesOf = (request: RegisterRequest): string[] => {
    const parent = byMockUrn.get(request.getParent());
    return [...(parent === undefined || parent.getType() === stackType ? [] : typesOf(parent)), request.getType()];
  };
  const urnOf = (request: RegisterRequest): string =>
    `urn:pulumi:${pulumi.getStack()}::${projectName}::${typesOf(request).join("$")}::${request.getName()}`;
  const waitedFor = (request: RegisterRequest): string[] => {
    const provider = byMockUrn.get(request.getProvider().split("::").slice(0, -1).join("::"));
    return [...request.getDependenciesList(), ...(provider?.getDependenciesList() ?? [])];
  };
  return recorded.map(({ request, inputs }) => {
    const parent = byMockUrn.get(request.getParent());
    return {
      urn: urnOf(request),
      type: request.getType(),
      name: request.getName(),
      parent: parent === undefined || parent.getType() === stackType ? undefined : urnOf(parent),
      dependencies: waitedFor(request).flatMap((urn) => {
        const dependency = byMockUrn.get(urn);
        return dependency === undefined ? [] : [urnOf(dependency)];
      }),
      inputs,
    };
  });
}
