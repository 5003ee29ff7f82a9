/** Signals by which a person, a terminal that closes, or a machine asks a program to end. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a section to its end, whoever asks the process to end meanwhile; it ends right after. For the moments in which
 * nobody but this process has a secret that exists once.
 */
export async function uninterrupted<T>(section: () => Promise<T>): Promise<T> {
  let asked: NodeJS.Signals | undefined;
  const hold = (signal: NodeJS.Signals): void => {
    asked ??= signal;
  };
  for (const signal of endings) process.on(signal, hold);
  try {
    return await section();
  } finally {
    for (const signal of endings) process.off(signal, hold);
    if (asked !== undefined) process.kill(process.pid, asked);
  }
}
