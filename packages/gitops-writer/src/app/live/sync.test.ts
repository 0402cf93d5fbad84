import { describe, expect, it } from 'vitest';
import type { Application, Relation, ResourceWord, SyncWindow } from '../../ports.ts';
import { commitOf, contained } from './contained.ts';
import { faultless } from './faultless.ts';
import { fresh, mayRefresh } from './fresh.ts';
import { applied, settled } from './settled.ts';
import { type OwnResource, type SyncFacts, synced } from './synced.ts';

const X = 'a'.repeat(40);
const Y = 'b'.repeat(40);
const source = (revision: string) => ({ repoURL: 'https://git.example.com/team/gitops.git', revision });
const application: Application = {
  name: 'm-prod',
  project: 'fairway',
  destination: { server: 'https://kubernetes.default.svc', namespace: 'm-prod' },
  autoSync: true,
  deleting: false,
  operationRequested: false,
  refreshRequested: false,
  syncStatus: 'Synced',
  compared: [source(X)],
  reconciledAt: '2026-11-22T10:00:05Z',
  health: 'Healthy',
  operation: { phase: 'Succeeded', finishedAt: '2026-11-22T10:00:04Z', applied: [source(X)] },
  errors: [],
  resources: [],
};
const contains: Relation = { kind: 'contains' };
const operation = (change: Partial<NonNullable<Application['operation']>>): Application => ({
  ...application,
  operation: { phase: 'Succeeded', applied: [source(X)], ...change },
});

describe('settled', () => {
  it('does not mind a finished operation, a failed one, or none at all', () => {
    const { operation: _, ...never } = application;
    expect([application, operation({ phase: 'Failed' }), never].map(settled)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
  it.each<[string, Application, string]>([
    ['an operation that is asked for', { ...application, operationRequested: true }, 'syncing'],
    ['a running one', operation({ phase: 'Running' }), 'syncing'],
    ['one that is being ended', operation({ phase: 'Terminating' }), 'syncing'],
    ['an Application that is being deleted', { ...application, deleting: true }, 'unknown'],
  ])('minds %s', (_, one, state) => {
    expect(settled(one)?.state).toBe(state);
  });
  it('repeats what a running operation says of itself', () => {
    const message = 'waiting for healthy state of apps/Deployment/m';
    expect(settled(operation({ phase: 'Running', message }))?.reason).toContain(message);
  });
});

describe('a failed sync', () => {
  it.each<[string, Application, Relation | undefined, boolean]>([
    ['of our state fails the change', operation({ phase: 'Failed', message: 'denied' }), contains, true],
    ['is also one that ended in an error', operation({ phase: 'Error' }), contains, true],
    ['of an older revision does not', operation({ phase: 'Failed' }), { kind: 'before' }, false],
    ['of what came after us does not', operation({ phase: 'Failed' }), { kind: 'superseded', by: Y }, false],
    ['of a revision nobody knows does not', operation({ phase: 'Failed' }), { kind: 'unknown' }, false],
    ['is none when it succeeded', application, contains, false],
    ['is none while it runs', operation({ phase: 'Running' }), contains, false],
  ])('%s', (_, one, relation, fails) => {
    expect(applied(one, relation)?.fails ?? false).toBe(fails);
  });
});

describe('fresh', () => {
  const at = (reconciledAt: string | undefined): Application => {
    const { reconciledAt: _, ...rest } = application;
    return reconciledAt === undefined ? rest : { ...rest, reconciledAt };
  };
  it.each<[string, string | undefined, string | undefined, boolean]>([
    ['later than both', '2026-11-22T10:00:05Z', '2026-11-22T10:00:00.700Z', true],
    ['in the very second in which the operation ended', '2026-11-22T10:00:04Z', '2026-11-22T10:00:00.700Z', true],
    [
      'in the second of the merge, whose milliseconds Argo CD cuts',
      '2026-11-22T10:00:04Z',
      '2026-11-22T10:00:04.999Z',
      true,
    ],
    ['a second before the operation ended', '2026-11-22T10:00:03Z', '2026-11-22T09:59:59Z', false],
    ['a second before the merge', '2026-11-22T10:00:04Z', '2026-11-22T10:00:05.000Z', false],
    ['in another zone', '2026-11-22T12:00:04+02:00', '2026-11-22T10:00:00Z', true],
    ['never', undefined, '2026-11-22T10:00:00Z', false],
    ['at no time at all', 'yesterday', '2026-11-22T10:00:00Z', false],
  ])('compared %s', (_, reconciledAt, mergedAt, holds) => {
    const objection = fresh(at(reconciledAt), mergedAt);
    expect(objection === undefined).toBe(holds);
    if (!holds) expect(objection).toMatchObject({ state: 'unknown', stale: true });
  });

  const now = Date.parse('2026-11-22T10:00:10Z');
  it.each<[string, Partial<Application>, number, boolean]>([
    ['when the last comparison is old enough', {}, 4_999, true],
    ['not sooner than allowed', {}, 5_000, false],
    ['not while a request is pending', { refreshRequested: true }, 0, false],
    ['when the clock of the cluster is an hour ahead', { reconciledAt: '2026-11-22T11:00:10Z' }, 30_000, true],
  ])('may ask for a refresh: %s', (_, change, everyMs, may) => {
    expect(mayRefresh({ ...application, ...change }, now, everyMs)).toBe(may);
  });
  it('may ask for a refresh of what was never compared', () => {
    expect(mayRefresh(at(undefined), now, 30_000)).toBe(true);
  });
});

describe('faultless', () => {
  it.each(['ComparisonError', 'InvalidSpecError'] as const)('believes nothing under %s', (type) => {
    const objection = faultless({ ...application, errors: [{ type, message: 'no such host' }] });
    expect(objection).toMatchObject({ state: 'unknown', stale: true, reason: expect.stringContaining('no such host') });
  });
  it('waits under a SyncError that is not of our own sync', () => {
    const errors = [{ type: 'SyncError', message: 'auto-sync will wipe out all resources' }] as const;
    expect(faultless({ ...application, errors })?.state).toBe('waiting-for-sync');
  });
  it('has nothing against none', () => {
    expect(faultless(application)).toBeUndefined();
  });
});

describe('contained', () => {
  it.each<[Relation, string | undefined]>([
    [contains, undefined],
    [{ kind: 'before' }, 'waiting-for-sync'],
    [{ kind: 'unknown' }, 'waiting-for-sync'],
    [{ kind: 'superseded', by: Y }, 'superseded'],
  ])('%o → %s', (relation, state) => {
    expect(contained(relation, X)?.state).toBe(state);
  });
  it('names the commit that came in its place, and does not call it a failure', () => {
    const objection = contained({ kind: 'superseded', by: Y }, X);
    expect(objection?.reason).toContain(Y.slice(0, 12));
    expect(objection?.fails).toBeUndefined();
  });

  const place = { repositoryUrl: 'https://git.example.com/team/gitops.git', folder: 'models/m/environments/prod' };
  const ours = { repoURL: 'git@git.example.com:team/gitops', path: 'models/m/environments/prod/', revision: X };
  const values = {
    repoURL: 'https://git.example.com/team/values.git',
    path: 'models/m/environments/prod',
    revision: Y,
  };
  const chart = { repoURL: 'https://charts.example.com', revision: '1.2.3' };
  it.each<[string, Application['compared'], string | undefined]>([
    ['the only source, whatever its path', [{ repoURL: 'https://elsewhere/x', revision: X }], X],
    ['the source of our repository and folder', [chart, values, ours], X],
    ['in any order', [ours, values, chart], X],
    ['a source above our folder', [chart, { ...ours, path: 'models' }], X],
    ['the closest of several in our repository', [{ ...ours, path: '.', revision: Y }, ours], X],
    [
      'the path alone where the repository has another address in the cluster',
      [chart, { ...ours, repoURL: 'http://forge.internal:3000/team/gitops.git' }],
      X,
    ],
    ['none when none covers the folder', [chart, { ...ours, path: 'models/m/environments/production' }], undefined],
    [
      'none of two that only look alike',
      [
        { ...values, path: 'models' },
        { ...values, repoURL: 'https://c/d', path: 'models/m' },
      ],
      undefined,
    ],
    ['no commit from a revision that is a name', [{ ...ours, revision: 'main' }], undefined],
    ['no commit from an empty revision', [{ ...ours, revision: '' }], undefined],
    ['no commit from nothing', [], undefined],
  ])('takes %s', (_, sources, commit) => {
    expect(commitOf(sources, place)).toBe(commit);
  });
  it.each(['https://bot:token@git.example.com:8443/team/gitops.git', 'ssh://git@git.example.com/team/gitops.git/'])(
    'knows the repository by %s',
    (repositoryUrl) => {
      expect(commitOf([values, ours], { ...place, repositoryUrl })).toBe(X);
    },
  );
});

describe('synced', () => {
  const own = [
    { group: 'apps', kind: 'Deployment', namespace: 'm-prod', name: 'm' },
    { group: '', kind: 'Service', namespace: 'm-prod', name: 'm' },
  ];
  const word = (index: number, status?: ResourceWord['status']): ResourceWord => ({
    ...(own[index] as (typeof own)[number]),
    ...(status === undefined ? {} : { status }),
  });
  const stranger: ResourceWord = {
    group: '',
    kind: 'ConfigMap',
    namespace: 'm-prod',
    name: 'theirs',
    status: 'OutOfSync',
  };
  const facts: SyncFacts = { rule: 'strict', own, applied: contains, windows: [], now: 0 };
  const judge = (change: Partial<Application>, some: Partial<SyncFacts> = {}) =>
    synced({ ...application, syncStatus: 'OutOfSync', ...change }, { ...facts, ...some });
  const allOurs = [word(0, 'Synced'), word(1, 'Synced'), stranger];

  it('holds when the Application is Synced', () => {
    expect(judge({ syncStatus: 'Synced' })).toBeUndefined();
  });
  it('knows nothing when Argo CD does not', () => {
    expect(judge({ syncStatus: 'Unknown' })).toMatchObject({ state: 'unknown', stale: true });
  });
  it('calls it drift once our sync is through, and names what differs', () => {
    const objection = judge({ resources: [word(0, 'OutOfSync'), word(1, 'Synced')] });
    expect(objection).toMatchObject({ state: 'drifted', reason: expect.stringContaining('Deployment m') });
  });
  it('waits while our sync is still to come', () => {
    expect(judge({}, { applied: { kind: 'before' } })?.state).toBe('waiting-for-sync');
    expect(judge({}, { applied: undefined })?.state).toBe('waiting-for-sync');
  });
  it('says that somebody has to sync where auto-sync is off', () => {
    const objection = judge({ autoSync: false }, { applied: { kind: 'before' } });
    expect(objection).toMatchObject({ state: 'waiting-for-sync', reason: expect.stringContaining('Auto-sync is off') });
  });
  it('is blocked by a sync window before our sync, and drifted after it all the same', () => {
    const windows: SyncWindow[] = [
      {
        kind: 'deny',
        schedule: '* * * * *',
        duration: '2m',
        manualSync: false,
        applications: ['*'],
        namespaces: [],
        clusters: [],
        andOperator: false,
      },
    ];
    const now = Date.parse('2026-11-22T10:00:30Z');
    const objection = judge({}, { applied: { kind: 'before' }, windows, now });
    expect(objection?.state).toBe('blocked-by-sync-window');
    expect(objection?.fails).toBeUndefined();
    expect(judge({}, { windows, now })?.state).toBe('drifted');
  });
  it('is strict by default: what others put into the Application counts', () => {
    expect(judge({ resources: allOurs })).toMatchObject({
      state: 'drifted',
      reason: expect.stringContaining('SYNC_RULE=own-resources'),
    });
  });
  it.each<[string, ResourceWord[], boolean]>([
    ['all of ours are Synced', allOurs, true],
    ['one of ours is not', [word(0, 'Synced'), word(1, 'OutOfSync')], false],
    ['one of ours has no status', [word(0, 'Synced'), word(1)], false],
    ['one of ours is not listed', [word(0, 'Synced'), stranger], false],
    ['ours of another namespace is', [word(0, 'Synced'), { ...word(1, 'Synced'), namespace: 'm-dev' }], false],
    ['nothing is listed', [], false],
  ])('by own resources: %s', (_, resources, holds) => {
    expect(judge({ resources }, { rule: 'own-resources' }) === undefined).toBe(holds);
  });
  it.each<[string, ResourceWord[], boolean]>([
    ['is not rendered', allOurs, true],
    ['is Synced', [...allOurs, { ...word(1, 'Synced'), kind: 'Route' }], true],
    ['is not Synced', [...allOurs, { ...word(1, 'OutOfSync'), kind: 'Route' }], false],
    ['has no status', [...allOurs, { ...word(1), kind: 'Route' }], false],
  ])('by own resources, of what only some environments have: %s', (_, resources, holds) => {
    const some = own.map((one): OwnResource => ({ ...one, kind: 'Route', optional: true }));
    expect(judge({ resources }, { rule: 'own-resources', own: [...own, ...some] }) === undefined).toBe(holds);
  });
  it('does not take a failed comparison for drift of others', () => {
    expect(judge({ syncStatus: 'Unknown', resources: allOurs }, { rule: 'own-resources' })?.state).toBe('unknown');
  });
});
