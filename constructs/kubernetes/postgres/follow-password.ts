import { Duration, Size } from "cdk8s";
import { type ContainerProps, Cpu, EnvValue, Probe } from "cdk8s-plus-28";

/** File that is there once the password in force is the mounted one. */
const inForce = "/tmp/password-in-force";

// psql's \\password makes the SCRAM verifier itself, so that the server, its log and its statistics never see the
// password; without a terminal it reads it, twice, from standard input. printf is built into sh: no process has the
// password among its arguments.
const script = `
newline='
'
return=$(printf '\\r')
known= said=
trap 'exit 0' TERM INT
say() { [ "$1" = "$said" ] || echo "$1"; said=$1; }
set_password() { printf '%s\\n%s\\n' "$1" "$1" | psql --no-psqlrc --no-password --command='\\password' 2>&1; }
while :; do
  value=$(cat "$PASSWORD_FILE" 2> /dev/null; echo .) # the dot keeps line breaks at the end, which $() drops
  value=\${value%.}
  case $value in
    '') say "waiting for $PASSWORD_FILE: missing or empty" ;;
    "$known") ;;
    *"$newline"* | *"$return"*) say "$PASSWORD_FILE has a line break, which no password may have: write it without, as by printf" ;;
    *)
      if answer=$(set_password "$value"); then
        known=$value said=
        : > ${inForce}
        echo "the password of $PGUSER is now that of $PASSWORD_FILE"
      else
        say "the password of $PGUSER is not yet that of $PASSWORD_FILE: $answer"
      fi ;;
  esac
  sleep 1 & wait $!
done
`.trim();

export interface FollowPasswordProps {
  /** Image with `sh` and `psql`. */
  readonly image: string;
  /** Folder of the server's socket, over which no password is asked for. */
  readonly socketFolder: string;
  readonly user: string;
  readonly database: string;
  /** File with the password. */
  readonly file: string;
}

/**
 * A container that gives the user the password of a file, at the start and whenever the file changes. It is ready once
 * the password in force is the file's, also where the volume came with an older one.
 */
export function followPassword(props: FollowPasswordProps): Omit<ContainerProps, "securityContext"> {
  return {
    name: "follow-password",
    image: props.image,
    command: ["sh", "-c", script, "follow-password"],
    envVariables: {
      PASSWORD_FILE: EnvValue.fromValue(props.file),
      PGHOST: EnvValue.fromValue(props.socketFolder),
      PGUSER: EnvValue.fromValue(props.user),
      PGDATABASE: EnvValue.fromValue(props.database),
      PGCONNECT_TIMEOUT: EnvValue.fromValue("5"),
      // Keeps the verifier out of the log too, and has no lock hold the container up for ever.
      PGOPTIONS: EnvValue.fromValue(
        "-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c statement_timeout=10s",
      ),
    },
    resources: {
      cpu: { request: Cpu.millis(10) },
      memory: { request: Size.mebibytes(16), limit: Size.mebibytes(64) },
    },
    readiness: Probe.fromCommand(["test", "-e", inForce], { periodSeconds: Duration.seconds(1) }),
  };
}
