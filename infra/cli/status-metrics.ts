import type { Environment } from "../config/environment";
import type { Status } from "../operate/status";

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * A status in Prometheus' text format, for a schedule to hand on: the alert rules of `monitoring` know these metrics.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function statusMetrics({ name, tenant, table }: Environment, { secrets }: Status, now = new Date()): string {
  const own = { environment: name, ...(tenant === undefined ? {} : { tenant }) };
  const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
  const ages = new Map(
    table.secrets.map((secret) => [
      secret.name,
      (secret.maxAge ?? table.keypairs.find((pair) => pair.name === secret.pair)?.maxAge)?.toSeconds(),
    ]),
  );
  const metrics: Metric[] = [
    {
      name: "aidbox_secret_rotated_timestamp_seconds",
      help: "When the live value of a secret was written.",
      samples: secrets.flatMap(({ secret, rotatedAt }) =>
        rotatedAt === undefined ? [] : [{ labels: { ...own, secret }, value: seconds(rotatedAt) }],
      ),
    },
    {
      name: "aidbox_secret_max_age_seconds",
      help: "How old the value of a secret may grow.",
      samples: secrets.flatMap(({ secret }) => {
        const age = ages.get(secret);
        return age === undefined ? [] : [{ labels: { ...own, secret }, value: age }];
      }),
    },
    {
      name: "aidbox_secret_stale_pods",
      help: "Running pods that have another value of a secret than the store.",
      samples: secrets
        .filter(({ incomparable }) => incomparable === undefined)
        .map(({ secret, pods }) => ({
          labels: { ...own, secret },
          value: pods.filter(({ isCurrent }) => !isCurrent).length,
        })),
    },
    {
      name: "aidbox_secrets_looked_at_timestamp_seconds",
      help: "When this was looked at.",
      samples: [{ labels: own, value: seconds(now) }],
    },
  ];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name: metric, help, samples }) =>
      [
        `# HELP ${metric} ${help}`,
        `# TYPE ${metric} gauge`,
        ...samples.map(({ labels, value }) => `${metric}{${labelText(labels)}} ${value}`),
      ].join("\n"),
    )
    .join("\n");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const quoted = (text: string): string =>
    `"${text
      .replaceAll("\\", "\\\\")
      .replaceAll("\n", "\\n")
      .replaceAll('"', String.raw`\"`)}"`;
  return Object.entries(labels)
    .map(([label, text]) => `${label}=${quoted(text)}`)
    .join(",");
}
