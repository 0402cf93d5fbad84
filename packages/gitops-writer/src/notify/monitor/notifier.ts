import { type Clock, retryOf } from '@fairway/core';
import { create } from 'axios';
import type { Announcement, Notifier, NotifierAnswer } from '../../ports.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 64 * 1024;
/** What the monitor will never take. Anything else may be mended there, and a message that waits is not lost. */
const REFUSED: readonly number[] = [400, 413];

/** Leaves what is to be told to the monitor (`POST /v1/announcements`), which tells it once however often it is left there. */
export function monitorNotifier(url: string, token: string, clock: Clock): Notifier<Announcement> {
  const http = create({
    baseURL: url.replace(/\/$/, ''),
    headers: { authorization: `Bearer ${token}` },
    maxContentLength: MAX_BYTES,
    maxRedirects: 0,
    // Never through a proxy from the environment: the token would travel with it.
    proxy: false,
    validateStatus: () => true,
  });
  return {
    send: async (announcement) => {
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const { status, data, headers } = await http.post<unknown>('/v1/announcements', announcement, { signal });
        const retryAfter = headers['retry-after'] as string | undefined;
        return answered(status, data, retryAfter, clock.now());
      } catch (error) {
        return { kind: 'retry', reason: `The monitor does not answer (${troubleOf(error)}).` };
      }
    },
  };
}

function troubleOf(error: unknown): string {
  const { code = 'no reason given' } = error as { code?: string };
  return code === 'ERR_CANCELED' ? `nothing within ${TIMEOUT_MS / 1000} s` : code;
}

function answered(status: number, data: unknown, retryAfter: string | undefined, now: number): NotifierAnswer {
  const temporary = retryOf('The monitor', { status, retryAfter }, now);
  if (temporary !== undefined) return temporary;
  const { kept, detail } = (data ?? {}) as { kept?: unknown; detail?: unknown };
  if (status === 200 && kept === true) return { kind: 'accepted' };
  if (status === 200 && kept === false) {
    return { kind: 'accepted', reason: 'The monitor has no channel to people, so nobody is told.' };
  }
  if (REFUSED.includes(status)) {
    return {
      kind: 'dead',
      reason: `The monitor refused it (${status}): ${typeof detail === 'string' ? detail : 'no reason given'}`,
    };
  }
  const mend =
    status === 401 ? 'check MONITOR_TOKEN' : 'check MONITOR_URL, and that the monitor is as new as the writer';
  return { kind: 'retry', reason: `The monitor answered ${status}: ${mend}.` };
}
