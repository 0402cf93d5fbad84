import { FairwayError } from '@fairway/core';
import { json, type Request, Router } from 'express';
import type { BacktestAsked, StoredBacktest } from '../app/backtest-stored.ts';

/** `POST /v1/backtests` {model, policy, since?}: what a policy.yaml would have said of the stored windows. Changes nothing. */
export function backtestsRoute(run: (asked: BacktestAsked) => Promise<StoredBacktest>): Router {
  const router = Router();
  router.post('/backtests', json({ limit: '256kb' }), async (request, response) => {
    response.json(await run(askedOf(request)));
  });
  return router;
}

function askedOf(request: Request): BacktestAsked {
  const { model, policy, since } = (request.body ?? {}) as Partial<Record<string, unknown>>;
  if (typeof model !== 'string' || model === '' || typeof policy !== 'string') {
    throw new FairwayError('input.invalid', 'Send JSON with model, a name, and policy, the text of a policy.yaml.');
  }
  return { model, policy, since: sinceOf(since) };
}

function sinceOf(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(given) && !Number.isNaN(Date.parse(given))) {
    return new Date(given).toISOString();
  }
  throw new FairwayError('input.invalid', 'since must be an RFC 3339 time such as 2026-11-22T08:00:00Z.');
}
