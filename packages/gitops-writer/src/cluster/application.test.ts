import { describe, expect, it } from 'vitest';
import { toApplication } from './application.ts';
import { toSyncWindows } from './project.ts';

const X = 'a'.repeat(40);
const Y = 'b'.repeat(40);
const git = { repoURL: 'https://git.example.com/team/gitops.git', path: 'models/m/environments/prod' };
const chart = { repoURL: 'https://charts.example.com', chart: 'serving' };
const metadata = { name: 'm-prod', namespace: 'openshift-gitops' };

describe('an Application of Argo CD', () => {
  it('with one source', () => {
    const read = toApplication({
      metadata: { ...metadata, annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
      spec: {
        project: 'fairway',
        source: git,
        destination: { server: 'https://kubernetes.default.svc', namespace: 'm-prod' },
        syncPolicy: { automated: { prune: true } },
      },
      status: {
        reconciledAt: '2026-11-22T10:00:05Z',
        sync: { status: 'OutOfSync', revision: Y, comparedTo: { source: git, destination: {} } },
        health: { status: 'Degraded', message: 'crash', lastTransitionTime: '2026-11-22T10:00:01Z' },
        operationState: {
          phase: 'Failed',
          finishedAt: '2026-11-22T10:00:04Z',
          message: 'denied',
          syncResult: { revision: X, source: git },
        },
        conditions: [{ type: 'SyncError', message: 'why' }, { type: 'OrphanedResourceWarning' }],
        resources: [{ kind: 'Service', version: 'v1', namespace: 'm-prod', name: 'm', status: 'Synced' }],
      },
    });
    expect(read).toEqual({
      name: 'm-prod',
      project: 'fairway',
      destination: { server: 'https://kubernetes.default.svc', namespace: 'm-prod' },
      autoSync: true,
      deleting: false,
      operationRequested: false,
      refreshRequested: true,
      syncStatus: 'OutOfSync',
      compared: [{ ...git, revision: Y }],
      reconciledAt: '2026-11-22T10:00:05Z',
      health: 'Degraded',
      healthMessage: 'crash',
      healthSince: '2026-11-22T10:00:01Z',
      operation: {
        phase: 'Failed',
        finishedAt: '2026-11-22T10:00:04Z',
        message: 'denied',
        applied: [{ ...git, revision: X }],
      },
      errors: [{ type: 'SyncError', message: 'why' }],
      resources: [{ group: '', kind: 'Service', namespace: 'm-prod', name: 'm', status: 'Synced' }],
    });
  });

  it('with several sources pairs each with its revision, as it was compared and as it was applied', () => {
    const { compared, operation } = toApplication({
      metadata,
      spec: { sources: [git, chart] },
      status: {
        // The spec has been turned round since the comparison: its order is what the revisions follow.
        sync: { status: 'Synced', revisions: ['1.2.3', X], comparedTo: { sources: [chart, git] } },
        operationState: { phase: 'Succeeded', syncResult: { revisions: [Y, '1.2.2'], sources: [git, chart] } },
      },
    });
    expect(compared.map(({ repoURL, revision }) => [repoURL, revision])).toEqual([
      [chart.repoURL, '1.2.3'],
      [git.repoURL, X],
    ]);
    expect(operation?.applied.map(({ revision }) => revision)).toEqual([Y, '1.2.2']);
  });

  it('that Argo CD has not looked at yet', () => {
    expect(toApplication({ metadata, spec: { source: git } })).toMatchObject({
      syncStatus: 'Unknown',
      health: 'Unknown',
      autoSync: false,
      compared: [{ ...git, revision: '' }],
    });
  });

  it.each<[unknown, boolean]>([
    [{}, false],
    [{ automated: null }, false],
    [{ automated: {} }, true],
    [{ automated: { enabled: false } }, false],
    [{ automated: { enabled: true } }, true],
  ])('syncs by itself under %j: %s', (syncPolicy, autoSync) => {
    expect(toApplication({ metadata, spec: { syncPolicy } }).autoSync).toBe(autoSync);
  });

  it('does not count a resource of an unknown status as anything', () => {
    const resources = [{ kind: 'Service', name: 'm', status: 'Odd' }];
    expect(toApplication({ metadata, status: { resources } }).resources[0]).not.toHaveProperty('status');
  });

  it('of another form is refused in a sentence', () => {
    expect(() => toApplication({ metadata, status: { sync: { status: 'Fine' } } })).toThrow(
      /none of v1alpha1 \(status/,
    );
  });
});

describe('an AppProject of Argo CD', () => {
  it('has sync windows, those of another form left out', () => {
    const window = { kind: 'deny', schedule: '0 22 * * *', duration: '8h', applications: ['*'], timeZone: '' };
    expect(toSyncWindows({ spec: { syncWindows: [window, { kind: 'perhaps' }] } })).toEqual([
      {
        kind: 'deny',
        schedule: '0 22 * * *',
        duration: '8h',
        manualSync: false,
        applications: ['*'],
        namespaces: [],
        clusters: [],
        andOperator: false,
      },
    ]);
  });
  it.each([undefined, {}, { spec: {} }, { spec: { syncWindows: null } }])('without any has none: %j', (object) => {
    expect(toSyncWindows(object)).toEqual([]);
  });
});
