/** One Ctrl-C reaches us twice: from the terminal, and forwarded by the process that started us. */
const SAME_REQUEST_MS = 1000;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP, or when the parent process is gone. Asked again after a second, the
 * process ends at once; what it started notices the loss of its parent and stops by itself.
 */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const stop = () => {
      if (asked !== undefined && Date.now() - asked > SAME_REQUEST_MS) process.exit(130);
      asked ??= Date.now();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    if (process.connected) process.once('disconnect', resolve);
    else if (process.send !== undefined) resolve();
  });
}
