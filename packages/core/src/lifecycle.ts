import type { Logger } from './log.ts';

/** A part of a process that starts and stops. */
export type Part = {
  readonly name: string;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
};

export type Lifecycle = {
  /** Starts parts in order. A second call joins the first. A failing part stops those already started, in reverse. */
  start(): Promise<void>;
  /** Stops started parts in reverse order; each failure is logged and the rest still stop. Callable any time, twice, and during start. */
  stop(): Promise<void>;
  readonly running: boolean;
};

/** Ordered, idempotent start and stop. `stopTimeoutMs` bounds each part's stop so that one hanging part cannot hold the others. */
export function lifecycle(parts: readonly Part[], log: Logger, stopTimeoutMs = 10_000): Lifecycle {
  const started: Part[] = [];
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  const startAll = async () => {
    for (const part of parts) {
      if (stopping) return;
      await part.start();
      started.push(part);
      log.debug({ part: part.name }, 'part started');
    }
  };
  const stopAll = async () => {
    // A stop during start waits for the part that is being started, so that nothing is left half-up behind it.
    await starting?.catch(() => {});
    for (let part = started.pop(); part; part = started.pop()) await stopOne(part, log, stopTimeoutMs);
  };
  const stop = () => (stopping ??= stopAll());
  return {
    start: () =>
      (starting ??= startAll().catch(async (error: unknown) => {
        for (let part = started.pop(); part; part = started.pop()) await stopOne(part, log, stopTimeoutMs);
        throw error;
      })),
    stop,
    get running() {
      return started.length === parts.length && stopping === undefined;
    },
  };
}

async function stopOne(part: Part, log: Logger, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not stop within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([Promise.resolve(part.stop()), timeout]);
  } catch (error) {
    log.warn({ part: part.name, reason: (error as Error).message }, 'part did not stop cleanly');
  } finally {
    clearTimeout(timer);
  }
}

/** What {@link runService} needs of the process; tests pass their own. */
export type ProcessLike = Pick<NodeJS.Process, 'once' | 'on' | 'exit' | 'connected' | 'send'>;

/**
 * Runs a service until SIGTERM, SIGINT, or, when it was started with an IPC channel, until its parent is gone.
 * Start failures and fatal errors are printed as one sentence (stack only with `FAIRWAY_DEBUG=true`); exit code 1.
 */
export async function runService(service: Lifecycle, log: Logger, host: ProcessLike, debug: boolean): Promise<void> {
  const stop = (reason: string) => {
    log.info({ reason }, 'stopping');
    void service.stop().then(() => host.exit(0));
  };
  host.once('SIGTERM', () => stop('SIGTERM'));
  host.once('SIGINT', () => stop('SIGINT'));
  if (host.connected) host.once('disconnect', () => stop('parent gone'));
  // It went while we were loaded, and nobody tells of that again.
  else if (host.send !== undefined) return stop('parent gone');
  try {
    await service.start();
  } catch (error) {
    const { message, stack } = error as Error;
    log.error({ reason: message, ...(debug ? { stack } : {}) }, 'could not start');
    await service.stop();
    host.exit(1);
  }
}
