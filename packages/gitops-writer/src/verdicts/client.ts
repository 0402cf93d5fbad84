import { FairwayError, redact, urlOrigin } from '@fairway/core';
import { type AxiosInstance, create } from 'axios';

const MAX_BYTES = 32 * 2 ** 20;

/** The monitor's API. A redirect is an answer: the token goes to the monitor alone. */
export const monitorClient = (url: string, token: string, timeoutMs: number): AxiosInstance =>
  create({
    baseURL: url.replace(/\/$/, ''),
    headers: { authorization: `Bearer ${token}` },
    timeout: timeoutMs,
    maxContentLength: MAX_BYTES,
    maxRedirects: 0,
    // Never through a proxy from the environment: the token would travel with it.
    proxy: false,
  });

/** `doesNot`: what the monitor was asked for. */
export const monitorUnavailable = (url: string, doesNot: string, error: unknown): FairwayError =>
  new FairwayError(
    'monitor.unavailable',
    `The monitor at ${urlOrigin(url)} does not ${doesNot} (${redact((error as Error).message)}); check MONITOR_URL and MONITOR_TOKEN.`,
    { cause: error },
  );
