import { FairwayError, redact, urlOrigin, type Verdict } from '@fairway/core';
import { create } from 'axios';
import type { Verdicts } from '../ports.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 32 * 2 ** 20;

/**
 * The monitor's word (`GET /v1/windows`): a version whose newest judged window is in alert does not go further. One that
 * has no verdict yet does. Throws `monitor.unavailable` when the monitor does not answer.
 */
export function monitorVerdicts(url: string, token: string): Verdicts {
  const http = create({
    baseURL: url.replace(/\/$/, ''),
    headers: { authorization: `Bearer ${token}` },
    timeout: TIMEOUT_MS,
    maxContentLength: MAX_BYTES,
    // Never through a proxy from the environment: the token would travel with it.
    proxy: false,
  });
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

async function windows(call: () => Promise<{ data: { windows: readonly Verdict[] } }>, url: string) {
  try {
    return (await call()).data.windows;
  } catch (error) {
    throw new FairwayError(
      'monitor.unavailable',
      `The monitor at ${urlOrigin(url)} does not say how a version does (${redact((error as Error).message)}); check MONITOR_URL and MONITOR_TOKEN.`,
      { cause: error },
    );
  }
}
