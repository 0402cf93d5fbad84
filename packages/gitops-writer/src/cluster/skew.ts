import { type KubeConfig, VersionApi } from '@kubernetes/client-node';
import { type Clock, type Logger, type Part, pause } from '@fairway/core';
import { inTime } from './call.ts';
import { clockSkewS, SKEW_TOLD_S, skewMend } from './clocks.ts';

const EVERY_MS = 600_000;

/** The time that the Kubernetes API has; asking its version needs no rights. */
export function apiTime(config: KubeConfig): () => Promise<string | undefined> {
  const api = config.makeApiClient(VersionApi);
  return async () => (await inTime(() => api.getCodeWithHttpInfo())).headers['date'];
}

/**
 * Looks every ten minutes whether the cluster's clock is ours: a change is live only when Argo CD compared after its merge, so a clock
 * that is behind holds changes up without any error. Told once when it goes wrong, and once when it is right again.
 */
export function skewWatch(ask: () => Promise<string | undefined>, clock: Clock, log: Logger, everyMs = EVERY_MS): Part {
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;
  let apart = false;
  const look = async () => {
    const before = clock.now();
    const seconds = clockSkewS(await ask(), before, clock.now());
    if (seconds === undefined || apart === seconds >= SKEW_TOLD_S) return;
    apart = !apart;
    if (apart) log.warn({ seconds }, skewMend(seconds));
    else log.info({ seconds }, "the API server's clock and this one agree again");
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      // An API that does not answer is told by the watch of Applications.
      await look().catch(() => {});
      await pause(everyMs, stopping.signal);
    }
  };
  return {
    name: 'clock',
    start: () => {
      loop ??= run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}
