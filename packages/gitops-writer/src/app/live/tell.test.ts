import { iso } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import type { ChangeFacts, StoredChange } from '../../change.ts';
import type { Application } from '../../ports.ts';
import type { StepContext } from '../step.ts';
import type { Objection } from './objection.ts';
import { tell } from './tell.ts';

const BEGAN = Date.parse('2026-11-22T10:00:00Z');
const stored = (facts: ChangeFacts = {}, phase = 'merged') =>
  ({
    change: { phase, createdAt: iso(BEGAN), history: [{ phase, at: iso(BEGAN) }] },
    facts,
  }) as unknown as StoredChange;

/** A clock that the test moves, and an Argo CD that notes when it is asked. */
function world() {
  const asked: number[] = [];
  let now = BEGAN;
  const context = {
    clock: { now: () => now },
    cluster: { refresh: (_name: string, at: string) => Promise.resolve(void asked.push(Date.parse(at) - BEGAN)) },
  } as unknown as StepContext;
  return { asked, context, at: (ms: number) => (now = BEGAN + ms) };
}
const application = (change: Partial<Application> = {}) => ({ name: 'm-prod', ...change }) as Application;
const stale: Objection = { state: 'waiting-for-sync', reason: 'old', stale: true };

describe('a refresh', () => {
  it('is asked for again only as long after the last comparison as the change polls', async () => {
    const { asked, context, at } = world();
    let reconciledAt: string | undefined;
    // Hints make the change be looked at ten times a second for ten minutes; Argo CD answers each request at once.
    for (let ms = 0; ms <= 600_000; ms += 100) {
      at(ms);
      const seen = asked.length;
      await tell(stored(), context, application(reconciledAt === undefined ? {} : { reconciledAt }), stale);
      if (asked.length > seen) reconciledAt = iso(BEGAN + ms);
    }
    const gaps = asked.slice(1).map((ms, i) => [asked[i] as number, ms - (asked[i] as number)] as const);
    expect(asked[0]).toBe(0);
    expect(gaps.every(([since, gap]) => gap > Math.max(1_000, since / 60))).toBe(true);
    expect(gaps.every(([since, gap]) => gap <= Math.max(1_000, (since + gap) / 60) + 200)).toBe(true);
  });
  it('is asked for once while it is pending, and not at all for what is fresh or not there', async () => {
    const { asked, context, at } = world();
    at(10_000);
    await tell(stored(), context, application({ refreshRequested: true }), stale);
    await tell(stored(), context, application(), { state: 'drifted', reason: 'no' });
    await tell(stored(), context, undefined, stale);
    expect(asked).toEqual([]);
  });
});

describe('an objection', () => {
  const answer = (objection: Objection, of = stored()) => tell(of, world().context, application(), objection);

  it('that supersedes ends the change, without a failure', async () => {
    expect(await answer({ state: 'superseded', reason: 'by Y' })).toMatchObject({
      status: 'succeeded',
      output: { phase: 'superseded', reason: 'by Y', facts: { liveness: { state: 'superseded' } } },
    });
  });
  it('that fails is kept first, and ends the change when a second look finds the same', async () => {
    const objection: Objection = { state: 'degraded', reason: 'crash', fails: true };
    const first = await answer(objection);
    expect(first).toMatchObject({
      status: 'waiting',
      retryAfterMs: 0,
      learned: { facts: { liveness: { state: 'degraded' } } },
    });
    const facts = first.status === 'waiting' ? (first.learned?.facts ?? {}) : {};
    expect(await answer(objection, stored(facts))).toMatchObject({
      status: 'failed',
      error: { code: 'sync.failed', message: 'crash' },
    });
    expect((await answer({ ...objection, state: 'sync-failed' }, stored(facts))).status).toBe('waiting');
  });
  it('that something is applied moves a merged change on', async () => {
    const syncing: Objection = { state: 'syncing', reason: 'applies' };
    expect(await answer(syncing)).toMatchObject({ status: 'succeeded', output: { phase: 'syncing' } });
    expect(await answer(syncing, stored({}, 'verifying'))).toMatchObject({
      status: 'waiting',
      learned: { phase: 'verifying' },
    });
  });
  it('that names its time is waited for until then', async () => {
    expect(await answer({ state: 'progressing', reason: 'soon', retryAfterMs: 1_234 })).toMatchObject({
      retryAfterMs: 1_234,
    });
  });
  it('is kept since it began, whatever its reason', async () => {
    const liveness = { state: 'progressing', reason: '1 of 3', at: '2026-11-22T09:00:00.000Z' } as const;
    expect(await answer({ state: 'progressing', reason: '2 of 3' }, stored({ liveness }))).toMatchObject({
      learned: { facts: { liveness: { state: 'progressing', reason: '2 of 3', at: liveness.at } } },
    });
    expect(await answer({ state: 'drifted', reason: 'x' }, stored({ liveness }))).toMatchObject({
      learned: { facts: { liveness: { state: 'drifted', at: iso(BEGAN) } } },
    });
  });
});
