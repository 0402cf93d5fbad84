import { asFairwayError, type Clock, FairwayError, iso, type Logger } from '@fairway/core';
import express, { type Request, Router } from 'express';
import { type HourReport, rebuildBounds, type RebuildAsked } from '../app/rebuild.ts';

type Needs = {
  readonly rebuild: (asked: RebuildAsked, tell: (report: HourReport) => void) => Promise<void>;
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly log: Logger;
};

const DAY_MS = 86_400_000;
/** Differences of one hour that are told one by one; the number of all is told beside them. */
const TOLD = 100;

/**
 * `POST /v1/models/:model/profiles/rebuild` `{from?, to?, verify?}`: NDJSON while it works, a line for each hour that differs
 * or was kept, then `{done: {…}}`; what stops it half-way is a last line `{failed}`.
 */
export function rebuildRoute({ rebuild, retentionDays, clock, log }: Needs): Router {
  const router = Router();
  router.post('/models/:model/profiles/rebuild', express.json({ limit: '4kb' }), async (request, response) => {
    const oldest = `${iso(clock.now() - retentionDays * DAY_MS).slice(0, 10)}T00:00:00.000Z`;
    const { verify, ...bounds } = askedOf(request);
    const asked = { model: request.params.model, verify, ...rebuildBounds(bounds, { oldest, now: iso(clock.now()) }) };
    const done = { hours: 0, kept: 0, rows: 0, differences: 0, mended: 0 };
    response.type('application/x-ndjson');
    const say = (line: object) => response.write(`${JSON.stringify(line)}\n`);
    const tell = (report: HourReport) => {
      const { differences, mended, kept, rows } = report;
      done.hours += differences.some((each) => 'packed' in each) ? 0 : 1;
      done.rows += rows;
      done.kept += kept === undefined ? 0 : 1;
      done.differences += differences.length;
      done.mended += mended ? differences.length : 0;
      if (differences.length === 0 && kept === undefined) return;
      say({ ...report, differences: differences.slice(0, TOLD), all: differences.length });
    };
    try {
      await rebuild(asked, tell);
      say({ done });
    } catch (error) {
      if (!response.headersSent) throw error;
      const { code, message } = asFairwayError(error);
      log.warn({ model: asked.model, code, reason: message }, 'rebuild of counts stopped half-way');
      say({ failed: message });
    }
    response.end();
  });
  return router;
}

function askedOf({ body }: Request): { from: string | undefined; to: string | undefined; verify: boolean } {
  const given: unknown = body ?? {};
  const { from, to, verify = false } = given as Record<string, unknown>;
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';
  if (typeof given === 'object' && isText(from) && isText(to) && typeof verify === 'boolean') {
    return { from, to, verify };
  }
  throw new FairwayError(
    'input.invalid',
    'Send {"from": <time>, "to": <time>, "verify": true|false}; all may be left out.',
  );
}
