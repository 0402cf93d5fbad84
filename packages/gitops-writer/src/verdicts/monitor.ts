import type { Verdict } from '@fairway/core';
import type { Verdicts } from '../ports.ts';
import { monitorClient, monitorUnavailable } from './client.ts';

const TIMEOUT_MS = 10_000;

/**
 * The monitor's word (`GET /v1/windows`): a version whose newest judged window is in alert does not go further. One that
 * has no verdict yet does. Throws `monitor.unavailable` when the monitor does not answer.
 */
export function monitorVerdicts(url: string, token: string): Verdicts {
  const http = monitorClient(url, token, TIMEOUT_MS);
  return {
    inAlert: async (model, version, environment) => {
      const newest = (await windows(() => http.get('/v1/windows', { params: { model, environment } }), url)).findLast(
        ({ window }) => window.version === version,
      );
      return newest?.state === 'alert'
        ? `${model} ${version} is in alert in ${environment} for ${newest.window.period}`
        : undefined;
    },
  };
}

async function windows(call: () => Promise<{ data: { windows?: readonly Verdict[] } }>, url: string) {
  try {
    const { windows: found } = (await call()).data;
    if (found === undefined) throw new Error('its answer has no windows');
    return found;
  } catch (error) {
    throw monitorUnavailable(url, 'say how a version does', error);
  }
}
