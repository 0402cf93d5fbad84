import { describe, expect, it } from 'vitest';
import type { CallKind } from '../../ports.ts';
import { budget, GITHUB_LIMITS, OWN_HOST_LIMITS } from './budget.ts';

const takes = (of: ReturnType<typeof budget>, kind: CallKind, times: number, now: number) =>
  Array.from({ length: times }, () => of.take(kind, 'core', now)).filter((wait) => wait === 0).length;

describe('the published limits of GitHub', () => {
  it('lets 80 writes out in a minute, however they are spread', () => {
    const github = budget(GITHUB_LIMITS);
    expect(takes(github, 'write', 50, 0)).toBe(50);
    expect(takes(github, 'write', 50, 30_000)).toBe(30);
    expect(github.take('write', 'core', 30_000)).toBe(30_000);
    expect(takes(github, 'read', 100, 30_000)).toBe(100);
    expect(takes(github, 'write', 100, 60_000)).toBe(50);
    expect(github.take('write', 'core', 60_000)).toBe(30_000);
  });

  it('lets 500 writes out in an hour', () => {
    const github = budget(GITHUB_LIMITS);
    let sent = 0;
    for (let minute = 0; minute < 60; minute++) sent += takes(github, 'write', 80, minute * 60_000);
    expect(sent).toBe(500);
    expect(github.take('write', 'core', 3_540_000)).toBe(60_000);
    expect(takes(github, 'write', 100, 3_600_000)).toBe(80);
  });

  it('lets reads have what 80 writes leave of 900 points a minute', () => {
    const github = budget(GITHUB_LIMITS);
    expect(takes(github, 'read', 2_000, 0)).toBe(500);
    expect(github.take('read', 'core', 1_000)).toBe(59_000);
    expect(takes(github, 'write', 100, 1_000)).toBe(80);
  });
});

describe('what is learnt', () => {
  const own = () => budget(OWN_HOST_LIMITS);

  it('nothing where nothing is said', () => {
    expect(takes(own(), 'write', 5_000, 0)).toBe(5_000);
  });

  it('an exhausted quota blocks its part of the API until it is reset', () => {
    const host = own();
    expect(host.learn({ limited: false, resource: 'core', waitMs: 10_000 }, 'core', 0)).toBe(10_000);
    expect(host.take('read', 'core', 4_000)).toBe(6_000);
    expect(host.take('read', 'graphql', 4_000)).toBe(0);
    expect(host.take('read', 'core', 10_000)).toBe(0);
  });

  it('a refusal blocks everything, and twice as long each time it names no wait', () => {
    const host = own();
    const waits = [0, 60_000, 180_000].map((now) => host.learn({ limited: true }, 'core', now));
    expect(waits).toEqual([60_000, 120_000, 240_000]);
    expect(host.take('read', 'graphql', 200_000)).toBe(220_000);
    expect(host.learn({ limited: true }, 'core', 200_000)).toBe(220_000);
    expect([420_000, 900_000, 1_800_000].map((now) => host.learn({ limited: true }, 'core', now))).toEqual([
      480_000, 900_000, 900_000,
    ]);
    host.learn({ limited: false }, 'core', 2_700_000);
    expect(host.learn({ limited: true }, 'core', 2_700_000)).toBe(60_000);
  });

  it('a shorter wait does not end a longer one', () => {
    const host = own();
    host.learn({ limited: true, waitMs: 50_000 }, 'core', 0);
    host.learn({ limited: true, waitMs: 1_000 }, 'core', 0);
    expect(host.take('read', 'core', 10_000)).toBe(40_000);
  });
});
