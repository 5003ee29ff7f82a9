import { kubectl, queryAsAidbox, succeed } from "./harness";

const namespace = "aidbox-secrets-e2e-postgres";
const adminPassword = "of-the-database-administrator";

/** A PostgreSQL that is not the stack's, with a database and a user for Aidbox; in memory. */
const objects = `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: Service
metadata: { name: postgres, namespace: ${namespace} }
spec:
  selector: { app: postgres }
  ports: [{ port: 5432 }]
---
apiVersion: v1
kind: Pod
metadata: { name: postgres, namespace: ${namespace}, labels: { app: postgres } }
spec:
  securityContext: { runAsUser: 999, runAsGroup: 999 }
  containers:
    - name: postgres
      image: docker.io/library/postgres:17.9
      command: [docker-entrypoint.sh, postgres, -c, listen_addresses=*]
      env: [{ name: POSTGRES_PASSWORD, value: ${adminPassword} }, { name: PGDATA, value: /tmp/data }]
      readinessProbe: { exec: { command: [pg_isready, --host=127.0.0.1] }, periodSeconds: 1 }
`;

/** A PostgreSQL with a Vault that knows its administrator, as who runs a database has it. */
export class OutsidePostgres {
  /** Host as pods of the cluster know it. */
  public readonly host = `postgres.${namespace}.svc`;

  public async start(): Promise<void> {
    await succeed("kubectl", ["apply", "-f", "-"], { input: objects });
    await kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/postgres", "--timeout=60s");
    await this.administer("create role aidbox login");
    await this.administer("create database aidbox owner aidbox");
  }

  /** Tells Vault's database engine of it, as connection `postgres`. */
  public async connectTo(vaultNamespace: string): Promise<void> {
    const url = `postgresql://{{username}}:{{password}}@${this.host}:5432/postgres?sslmode=disable`;
    const connection = ["plugin_name=postgresql-database-plugin", "allowed_roles=aidbox", `connection_url=${url}`];
    const write = ["vault", "write", "database/config/postgres", ...connection, "username=postgres", "password=-"];
    const exec = ["--namespace", vaultNamespace, "exec", "--stdin", "vault-0", "--", ...write];
    await succeed("kubectl", exec, { input: adminPassword });
  }

  /** Whether Aidbox's user logs in from outside with a password. */
  public async accepts(password: string): Promise<boolean> {
    const { code, stdout } = await queryAsAidbox({ namespace, service: "postgres" }, password);
    return code === 0 && stdout.trim() === "aidbox";
  }

  public async stop(): Promise<void> {
    await kubectl("delete", "namespace", namespace, "--ignore-not-found");
  }

  /** Runs SQL as the administrator. */
  public async administer(sql: string): Promise<void> {
    await kubectl("-n", namespace, "exec", "postgres", "--", "psql", "-U", "postgres", "-c", sql);
  }
}
