import { asFairwayError, iso, type Logger } from '@fairway/core';
import type { HourOf } from '../ports.ts';
import { type HourReport, rebuild } from './rebuild.ts';

const HOUR_MS = 3_600_000;

type Needs = Parameters<typeof rebuild>[0] & {
  /** The oldest hour with predictions that were recorded before their version was known, and which is known by now. */
  readonly next: () => Promise<Pick<HourOf, 'model' | 'hour'> | undefined>;
  readonly log: Logger;
};

/**
 * Counts one such hour again, so that a label which comes for a prediction of it takes away nothing that was never counted. true: there may
 * be more. An operator's rebuild goes first; the hour waits for the next round.
 */
export async function recountHour({ next, log, ...needs }: Needs): Promise<boolean> {
  const found = await next();
  if (found === undefined) return false;
  const { model, hour: from } = found;
  const reports: HourReport[] = [];
  try {
    const asked = { model, from, to: iso(Date.parse(from) + HOUR_MS), verify: false };
    await rebuild(needs, asked, (report) => reports.push(report));
  } catch (error) {
    if (asFairwayError(error).code !== 'input.invalid') throw error;
    return false;
  }
  const rows = reports.reduce((sum, report) => sum + report.rows, 0);
  log.info({ model, hour: from, rows }, 'hour counted again: its version had not been known when it was recorded');
  return true;
}
