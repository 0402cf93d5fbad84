import { FairwayError } from '@fairway/core';
import { type Request, Router } from 'express';
import type { StoredWindows, WindowsAsked } from '../app/windows.ts';
import { type PeriodLength, PERIODS } from '../policy/schema.ts';

const FALLBACK = 24;
const MOST = 1000;

/** `GET /v1/models/:model/windows?environment=&every=&last=`: figures of stored windows, oldest first. */
export function windowsRoute(windows: (asked: WindowsAsked) => Promise<StoredWindows>): Router {
  const router = Router();
  router.get('/models/:model/windows', async (request, response) => {
    const environment = textOf(request, 'environment');
    const asked = { model: request.params.model, environment, every: everyOf(request), last: lastOf(request) };
    response.json(await windows(asked));
  });
  return router;
}

function textOf(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function everyOf(request: Request): PeriodLength | undefined {
  const given = textOf(request, 'every');
  const every = PERIODS.find((one) => one === given);
  if (given === undefined || every !== undefined) return every;
  throw new FairwayError('input.invalid', `every must be one of ${PERIODS.join(', ')}.`);
}

function lastOf(request: Request): number {
  const given = textOf(request, 'last') ?? String(FALLBACK);
  const last = Number(given);
  if (/^\d{1,4}$/.test(given) && last >= 1 && last <= MOST) return last;
  throw new FairwayError('input.invalid', `last must be a whole number from 1 to ${MOST}.`);
}
