import { FairwayError } from '@fairway/core';
import type { Connection } from './connection.ts';

/** Where the monitor answers, and the token for it. */
export function monitorOf({ monitor, monitorToken }: Connection): { readonly url: string; readonly token: string } {
  if (monitor === undefined || monitorToken === undefined) {
    throw new FairwayError(
      'config.invalid',
      'Verdicts are kept by the monitor: set FAIRWAY_MONITOR_URL and FAIRWAY_MONITOR_TOKEN.',
    );
  }
  return { url: monitor, token: monitorToken };
}
