import { type Approval, type Change, type Clock, FairwayError, failed, succeeded, waiting } from '@fairway/core';
import { expect, it } from 'vitest';
import type { StoredChange } from '../change.ts';
import { settle } from './reconcile.ts';

const clock: Clock = { now: () => Date.parse('2026-11-22T10:00:00.000Z') };
const at = '2026-11-22T10:00:00.000Z';
const stored = (attempts: number): StoredChange => ({
  change: { id: 'c', kind: 'deploy', model: 'm', version: '1', environment: 'dev', actor: 'alice' } as Change,
  evidence: { kind: 'deploy', digest: 'sha256:1', approval: {} as Approval },
  facts: {},
  attempts,
});

it('writes down what a step answers', () => {
  expect(settle(stored(0), succeeded({ phase: 'built' }), clock)).toEqual({
    kind: 'moved',
    transition: { phase: 'built' },
    at,
  });
  expect(settle(stored(0), waiting(700, 'later'), clock)).toEqual({
    kind: 'waiting',
    reason: 'later',
    delayMs: 700,
    at,
  });
});

it('retries by the table, and gives up with a card', () => {
  const broken = failed(new FairwayError('unknown', 'at https://u:p@host/x?sig=1'));
  expect(settle(stored(0), broken, clock)).toMatchObject({ kind: 'retry', delayMs: 1000, error: { code: 'unknown' } });
  expect(settle(stored(7), broken, clock)).toMatchObject({
    kind: 'moved',
    transition: { phase: 'failed', reason: 'at https://[redacted]@host/x?[redacted]', notice: { event: 'failed' } },
  });
});

it('ends at once on what no retry mends', () => {
  const refused = failed(new FairwayError('forge.refused', 'no'));
  expect(settle(stored(0), refused, clock)).toMatchObject({
    kind: 'moved',
    transition: { phase: 'failed', reason: 'no' },
  });
});
