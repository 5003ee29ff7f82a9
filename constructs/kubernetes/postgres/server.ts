import { Duration } from "cdk8s";
import { type ContainerProps, EnvValue, Handler, Probe, Protocol } from "cdk8s-plus-28";

export const postgresPort = 5432;
/** Folder of the volume. */
export const dataFolder = "/var/lib/postgresql/data";
/** Folder of the socket over which the server asks for no password. */
export const socketFolder = "/var/run/postgresql";

// The volume's own folder may hold lost+found, and PostgreSQL wants its folder for itself alone.
const PGDATA = EnvValue.fromValue(`${dataFolder}/pgdata`);

export interface ServerProps {
  /** The official image, or one made from it. */
  readonly image: string;
  readonly database: string;
  readonly user: string;
}

/**
 * A container that makes the database where the volume is empty, by the image's own script for that.
 *
 * @param file file with the password
 */
export function makeDatabase(
  { image, database, user }: ServerProps,
  file: string,
): Omit<ContainerProps, "securityContext"> {
  return {
    name: "make-database",
    image,
    command: ["docker-ensure-initdb.sh"],
    envVariables: {
      PGDATA,
      POSTGRES_USER: EnvValue.fromValue(user),
      POSTGRES_DB: EnvValue.fromValue(database),
      POSTGRES_PASSWORD_FILE: EnvValue.fromValue(file),
      // By itself initdb trusts whoever connects from inside the pod, by TCP too.
      POSTGRES_INITDB_ARGS: EnvValue.fromValue("--auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8"),
      POSTGRES_HOST_AUTH_METHOD: EnvValue.fromValue("scram-sha-256"),
    },
  };
}

/** The server, without the image's entrypoint, which would leave the password in the server's environment. */
export function serve({ image, database, user }: ServerProps): Omit<ContainerProps, "securityContext"> {
  // Each look with a name that the server does not know would be a line of its log.
  const look = ["pg_isready", "--host=127.0.0.1", `--username=${user}`, `--dbname=${database}`];
  const answering = (periodSeconds: number, failureThreshold: number): Probe =>
    Probe.fromCommand(look, {
      periodSeconds: Duration.seconds(periodSeconds),
      timeoutSeconds: Duration.seconds(5),
      failureThreshold,
    });
  return {
    name: "postgres",
    image,
    command: ["postgres", "-c", "listen_addresses=*", "-c", "password_encryption=scram-sha-256"],
    envVariables: { PGDATA },
    ports: [{ name: "postgres", number: postgresPort, protocol: Protocol.TCP }],
    startup: answering(1, 300),
    readiness: answering(5, 2),
    liveness: answering(10, 6),
    // SIGTERM would have it wait until its clients leave, which Aidbox does not; not every image says SIGINT instead.
    lifecycle: { preStop: Handler.fromCommand(["pg_ctl", "stop", "--mode=fast", "--no-wait"]) },
  };
}
