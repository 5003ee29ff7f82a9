import { execFile } from "node:child_process";
import { ConstantBackoff } from "cockatiel";
import { retry } from "../../constructs/retry";
import type { Executable } from "../cli/pulumi-cli";

/** A resource as the stack's state has it: what Pulumi goes by where the program no longer declares it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** Secrets among them are encrypted. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Whether Pulumi forgets it, and leaves what it stands for alone, instead of deleting it. */
  readonly retainOnDelete: boolean;
  readonly protect: boolean;
}

/** Name that the program gave a resource. */
export function nameOf({ urn }: Pick<StateResource, "urn">): string {
  return urn.split("::").slice(3).join("::");
}

/** What Pulumi says of a state whose file ends too early, as while another of its processes writes it; of any other damage it says something else. */
const isCutOff = ({ message }: Error): boolean =>
  /failed to load checkpoint:.*(EOF|unexpected end of JSON input)/.test(message);
/** How long a state may take to be written, in seconds. */
const writtenWithin = 15;

/**
 * What a stack's state holds. `pulumi stack export` takes no lock, so this works while an `up` runs.
 *
 * @param options folder of the project, and the variables that say where the state lies
 * @throws Error where Pulumi's command line cannot be run, or cannot read the state
 */
export async function readState(
  { file, args }: Executable,
  stack: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<readonly StateResource[]> {
  const command = [...args, "stack", "export", "--stack", stack, "--non-interactive"];
  const unreadable = (why: string): string => `The stack's state cannot be read by \`pulumi stack export\`: ${why}`;
  const end = new AbortController();
  const exportIt = (): Promise<string> =>
    new Promise((done, fail) => {
      execFile(file, command, { ...options, maxBuffer: 1024 ** 3, signal: end.signal }, (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else fail(new Error(unreadable(stderr.trim() || error.message)));
      });
    });
  return parseState(
    await retry(exportIt, {
      seconds: writtenWithin,
      backoff: new ConstantBackoff(200),
      mayPass: isCutOff,
      timedOut: (last) =>
        last === undefined
          ? unreadable(`no answer in ${writtenWithin} s`)
          : `${last.message}. It ends too early for ${writtenWithin} s now, so nobody is writing it. With a state in files its last ` +
            "good copy lies beside it, and ends with .bak",
    }).finally(() => {
      end.abort(); // one that never answers would keep this process waiting for it
    }),
  );
}

/** @param text what `pulumi stack export` prints */
export function parseState(text: string): readonly StateResource[] {
  const { deployment } = JSON.parse(text) as {
    deployment?: { resources?: readonly (Partial<StateResource> & Pick<StateResource, "urn" | "type">)[] };
  };
  return (deployment?.resources ?? []).map(({ urn, type, inputs = {}, retainOnDelete = false, protect = false }) => ({
    urn,
    type,
    inputs,
    retainOnDelete,
    protect,
  }));
}
