import { describe, expect, it } from 'vitest';
import { DEPLOYMENT } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { decideAutoSync, retryDelayMs } from './autosync.ts';
import type { Compared } from './compare.ts';
import type { Application, OperationState } from './types.ts';

const object = {} as KubeObject;
const source = { repoURL: 'https://git.example.com/r.git', path: 'p' };
const differing: Compared = {
  kind: DEPLOYMENT,
  namespace: 'n',
  name: 'a',
  target: object,
  live: object,
  status: 'OutOfSync',
};
const surplus: Compared = { kind: DEPLOYMENT, namespace: 'n', name: 'b', live: object, status: 'OutOfSync' };
const now = Date.parse('2026-01-01T00:01:00Z');
const last = (fields: Partial<OperationState>): OperationState => ({
  operation: {},
  phase: 'Succeeded',
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:00:01Z',
  syncResult: { revision: 'r1', source },
  ...fields,
});
const app = (automated: object | undefined, operationState?: OperationState) =>
  ({
    spec: { source, syncPolicy: automated ? { automated } : {} },
    status: operationState ? { operationState } : {},
  }) as unknown as Application;
const decide = (application: Application, compared: Compared[] = [differing], untouched = false) =>
  decideAutoSync(application, compared, 'r1', untouched, now).kind;

describe('decideAutoSync', () => {
  it.each([
    ['without a policy', app(undefined), [differing], 'none'],
    ['switched off', app({ enabled: false }), [differing], 'none'],
    ['nothing differs', app({}), [{ ...differing, status: 'Synced' as const }], 'none'],
    ['a new revision', app({}), [differing], 'start'],
    ['only pruning is left and pruning is off', app({}), [surplus], 'none'],
    ['everything would be wiped out', app({ prune: true }), [surplus], 'refused'],
    ['wiping out is allowed', app({ prune: true, allowEmpty: true }), [surplus], 'start'],
    ['the revision has failed', app({ selfHeal: true }, last({ phase: 'Failed' })), [differing], 'refused'],
    ['synced before, healing is off', app({}, last({})), [differing], 'none'],
    ['synced before, healing is on', app({ selfHeal: true }, last({})), [differing], 'start'],
    [
      'synced a moment ago',
      app({ selfHeal: true }, last({ finishedAt: '2026-01-01T00:00:58Z' })),
      [differing],
      'later',
    ],
    [
      'failed with another revision',
      app({}, last({ phase: 'Failed', syncResult: { revision: 'r0', source } })),
      [differing],
      'start',
    ],
    [
      'failed with another source',
      app({}, last({ phase: 'Failed', syncResult: { revision: 'r1', source: { ...source, path: 'q' } } })),
      [differing],
      'start',
    ],
  ])('%s: %s', (_, application, compared, kind) => expect(decide(application, compared)).toBe(kind));

  it.each([
    [{}, 'Succeeded', 'none'],
    [{ selfHeal: true }, 'Succeeded', 'start'],
    [{ selfHeal: true }, 'Failed', 'refused'],
  ] as const)('a later revision that does not touch the path is no news: %j, %s', (automated, phase, kind) => {
    const before = last({ phase, syncResult: { revision: 'r0', source } });
    expect(decide(app(automated, before), [differing], true)).toBe(kind);
    expect(decide(app(automated, before), [differing], false)).toBe('start');
  });
});

describe('retryDelayMs', () => {
  it.each([
    [{}, [5000, 10_000, 20_000]],
    [{ backoff: { duration: '1m', factor: 3, maxDuration: '2m30s' } }, [60_000, 150_000, 150_000]],
    [{ backoff: { duration: '2' } }, [2000, 4000, 8000]],
  ])('%j', (retry, delays) => expect([0, 1, 2].map((tries) => retryDelayMs(retry, tries))).toEqual(delays));
});
