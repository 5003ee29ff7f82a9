import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Where a planted mark was found. */
export interface Finding {
  readonly mark: string;
  /** As `log of vault/vault-0`. */
  readonly place: string;
}

/** The forms in which a mark may lie in a text: as it is, in hexadecimal, and in base64 at each of its three offsets. */
function formsOf(mark: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from("x".repeat(offset) + mark).toString("base64");
    // What depends on its neighbours is cut away at both ends.
    return text.slice(offset === 0 ? 0 : 4, text.length - 4);
  });
  const hex = Buffer.from(mark).toString("hex");
  return [
    mark,
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((each) => each.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

/**
 * Looks for marks in whatever a run leaves. A mark is of letters and digits alone, so that no quoting, in JSON, a URL or a
 * shell, changes it.
 */
export class Hunt {
  public readonly findings: Finding[] = [];
  /** How much was looked at, in bytes. */
  public searched = 0;
  private readonly forms: [mark: string, form: string][];

  public constructor(marks: readonly string[]) {
    this.forms = marks.flatMap((mark) => formsOf(mark).map((form): [string, string] => [mark, form]));
  }

  public look(place: string, text: string): void {
    this.searched += text.length;
    const marks = new Set(this.forms.filter(([, form]) => text.includes(form)).map(([mark]) => mark));
    for (const mark of marks) {
      if (!this.findings.some((each) => each.mark === mark && each.place === place))
        this.findings.push({ mark, place });
    }
  }

  /** Every file of a folder that was written since a time, in milliseconds, and its name. */
  public lookAtFiles(folder: string, since: number, skip: (file: string) => boolean = () => false): void {
    for (const entry of list(folder)) {
      const file = join(folder, entry);
      if (skip(file)) continue;
      try {
        const { mtimeMs, size } = statSync(file);
        const isOld = mtimeMs < since || size > 256 * 1024 * 1024 || !statSync(file).isFile();
        if (!isOld) this.look(`file ${file}`, `${file}\n${readFileSync(file, "latin1")}`);
      } catch {
        // It is gone by now.
      }
    }
  }

  /** The values that Helm keeps of a release, which are packed. */
  public lookAtRelease(place: string, data: string): void {
    this.look(place, gunzipSync(Buffer.from(Buffer.from(data, "base64").toString(), "base64")).toString());
  }

  /**
   * Looks at the arguments and the environment of every process again and again.
   *
   * @param isMeant whether a process is meant to have what it has in its environment
   * @param pause time between two looks, in milliseconds
   * @returns what ends it
   */
  public watchProcesses(isMeant: (environment: string, args: string) => boolean, pause = 200): () => void {
    const look = (): void => {
      for (const pid of list("/proc", false).filter((name) => /^\d+$/.test(name))) {
        const [args, environment] = ["cmdline", "environ"].map((file) => readOrNothing(`/proc/${pid}/${file}`));
        const name = args!.split("\0")[0] ?? "";
        this.look(`arguments of ${name}`, args!);
        if (!isMeant(environment!, args!)) this.look(`environment of ${name}`, environment!);
      }
    };
    const timer = setInterval(look, pause);
    return () => {
      clearInterval(timer);
    };
  }
}

function list(folder: string, recursive = true): string[] {
  try {
    return readdirSync(folder, { recursive }) as string[];
  } catch {
    return [];
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // the process has ended
  }
}
