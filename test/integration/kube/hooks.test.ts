import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, passingState, startTestCluster, type TestCluster } from './cluster.ts';

type Result = { kind: string; name: string; hookType?: string; hookPhase: string; syncPhase: string; message: string };
type App = KubernetesObject & {
  status?: {
    sync?: { status: string; revision?: string };
    health?: { status: string };
    operationState?: {
      phase: string;
      message?: string;
      retryCount?: number;
      finishedAt?: string;
      syncResult?: { revision: string; resources?: Result[] };
    };
    resources?: { kind: string; name: string; status?: string; hook?: boolean }[];
    conditions?: { type: string; message: string }[];
  };
};
type Job = KubernetesObject & { status?: { conditions?: { type: string; status: string }[] } };
type PodList = { items: { status?: { containerStatuses?: { state: { terminated?: { message?: string } } }[] } }[] };

let cluster: TestCluster;
let scratch: string;
let repo: string;

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
    cwd: join(scratch, 'work'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: scratch, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();

/** Replaces an application's folder by these manifests, and has Argo CD told of it; answers the commit. */
async function commit(folder: string, manifests: Record<string, object>): Promise<string> {
  const at = join(scratch, 'work', folder);
  rmSync(at, { recursive: true, force: true });
  mkdirSync(at, { recursive: true });
  for (const [name, manifest] of Object.entries(manifests))
    writeFileSync(join(at, `${name}.yaml`), stringify(manifest));
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '-m', 'change');
  git('push', '--quiet', repo, 'HEAD:refs/heads/main');
  const body = JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: repo } });
  await fetch(`${cluster.url}/api/webhook`, { method: 'POST', body });
  return git('rev-parse', 'HEAD');
}

const ARGO = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' };
const appOf = (name: string): Promise<App> =>
  cluster.objects.read<App>({ ...ARGO, metadata: { name, namespace: 'openshift-gitops' } });
const appWhere = (name: string, holds: (status: NonNullable<App['status']>) => boolean | undefined) =>
  eventually(
    `application ${name}`,
    async () => {
      const found = await appOf(name);
      return found.status && holds(found.status) === true ? found.status : undefined;
    },
    60_000,
  );
const over =
  (revision: string, phase: string) =>
  ({ operationState }: NonNullable<App['status']>): boolean =>
    operationState?.phase === phase && operationState.syncResult?.revision === revision;

/** An Application on a folder of the repository, in a namespace of its own. */
async function createApp(name: string, retries = 0): Promise<void> {
  const spec = {
    project: 'default',
    source: { repoURL: repo, path: name, targetRevision: 'refs/heads/main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: name },
    syncPolicy: {
      automated: { prune: true, selfHeal: true },
      syncOptions: ['CreateNamespace=true'],
      retry: { limit: retries, backoff: { duration: '1s', factor: 1 } },
    },
  };
  const app = { ...ARGO, metadata: { name, namespace: 'openshift-gitops' }, spec } as KubernetesObject;
  await cluster.objects.create(app).catch((error: { code?: number }) => {
    // From the try before.
    if (error.code !== 409) throw error;
  });
}

const env = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => ({ name, value }));
const deployment = (note: string, readyAfterMs = 0) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'model' },
  spec: {
    selector: { matchLabels: { app: 'model' } },
    template: {
      metadata: { labels: { app: 'model' } },
      spec: {
        containers: [
          {
            name: 'serving',
            image: cluster.images['tensorflow/serving'],
            env: env({ CHANGE: note, READY_AFTER_MS: String(readyAfterMs) }),
            ports: [{ name: 'rest', containerPort: 8501 }],
            readinessProbe: { httpGet: { path: '/ready', port: 'rest' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'model' },
  spec: { selector: { app: 'model' }, ports: [{ port: 8501, targetPort: 'rest' }] },
};
const hookJob = (values: Record<string, string>, more: Record<string, string> = {}, name = 'smoke') => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations: { 'argocd.argoproj.io/hook': 'PostSync', ...more } },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { test: name } },
      spec: {
        restartPolicy: 'Never',
        containers: [{ name, image: cluster.images['home-equity-trainer'], env: env(values) }],
      },
    },
  },
});
const jobOf = (namespace: string, name = 'smoke'): Promise<Job> =>
  cluster.objects.read<Job>({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace } });

beforeAll(async () => {
  cluster = await startTestCluster();
  scratch = mkdtempSync(join(tmpdir(), 'fairway-hooks-'));
  mkdirSync(join(scratch, 'work'));
  repo = `file://${join(scratch, 'gitops.git')}`;
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(scratch, 'gitops.git')]);
  git('init', '--quiet', '--initial-branch=main');
});
afterAll(async () => {
  await cluster.stop();
  rmSync(scratch, { recursive: true, force: true });
});

describe('a PostSync hook', () => {
  it('runs once everything is healthy, and the sync lasts until it is done', async () => {
    const [result, go] = [join(cluster.dir, 'smoke.json'), join(cluster.dir, 'go')];
    await createApp('first');
    const hook = hookJob({ RESULT: result, URL: 'http://model.first.svc:8501/x', WAIT_FOR: go });
    const revision = await commit('first', { deployment: deployment('one', 4_000), hook, service });
    await appWhere('first', ({ operationState }) =>
      operationState?.message?.startsWith('waiting for healthy state of apps/Deployment/model'),
    );
    await expect(jobOf('first')).rejects.toMatchObject({ code: 404 });
    const during = await appWhere(
      'first',
      ({ operationState }) => operationState?.message === 'waiting for completion of hook batch/Job/smoke',
    );
    expect(during.operationState).toMatchObject({ phase: 'Running' });
    expect(during.operationState?.finishedAt).toBeUndefined();
    expect(during.health?.status).toBe('Healthy');
    writeFileSync(go, '');
    const { operationState, resources, sync } = await appWhere('first', over(revision, 'Succeeded'));
    expect(operationState?.message).toBe('successfully synced (no more tasks)');
    expect(operationState?.syncResult?.resources).toContainEqual(
      expect.objectContaining({
        kind: 'Job',
        name: 'smoke',
        hookType: 'PostSync',
        hookPhase: 'Succeeded',
        syncPhase: 'PostSync',
      }),
    );
    expect(sync?.status).toBe('Synced');
    expect(resources?.find(({ kind }) => kind === 'Job')).toMatchObject({ name: 'smoke', hook: true });
    expect(resources?.find(({ kind }) => kind === 'Job')?.status).toBeUndefined();
    // The name of the Service leads to its address.
    const { URL } = (JSON.parse(readFileSync(result, 'utf8')) as { env: { URL: string } }).env;
    expect(URL).toMatch(/^http:\/\/127\.[\d.]+:8501\/x$/);
  });

  it('is deleted before it is created again by the next sync, and not at all by one that heals', async () => {
    const first = await jobOf('first');
    const patch = {
      ...service,
      metadata: { name: 'model', namespace: 'first' },
      spec: { selector: { app: 'nobody' } },
    };
    await passingState<App>(
      cluster,
      { name: 'first', namespace: 'openshift-gitops' },
      () => cluster.objects.patch(patch, undefined, undefined, undefined, undefined, 'application/merge-patch+json'),
      ({ status }) => status?.sync?.status === 'OutOfSync',
    );
    await appWhere(
      'first',
      ({ sync, operationState }) => sync?.status === 'Synced' && operationState?.phase === 'Succeeded',
    );
    expect((await jobOf('first')).metadata?.uid).toBe(first.metadata?.uid);
    const revision = await commit('first', { deployment: deployment('two'), hook: hookJob({}), service });
    await appWhere('first', over(revision, 'Succeeded'));
    expect((await jobOf('first')).metadata?.uid).not.toBe(first.metadata?.uid);
  });

  it('is neither pruned nor counted as a difference when it leaves the manifests', async () => {
    const revision = await commit('first', { deployment: deployment('three'), service });
    const { sync } = await appWhere('first', over(revision, 'Succeeded'));
    expect(sync?.status).toBe('Synced');
    expect((await jobOf('first')).status?.conditions?.some(({ type }) => type === 'Complete')).toBe(true);
  });

  it('fails the sync of an application that is Synced and Healthy, and its pod tells why', async () => {
    await createApp('failing', 1);
    const hook = hookJob({ EXIT_CODE: '1', LOG: '/dev/termination-log', LAST_WORD: 'case 3: P is 1' });
    const revision = await commit('failing', { deployment: deployment('one'), hook, service });
    const status = await appWhere('failing', over(revision, 'Failed'));
    expect(status.operationState).toMatchObject({
      retryCount: 1,
      message: 'one or more synchronization tasks completed unsuccessfully (retried 1 times).',
    });
    expect(status.operationState?.syncResult?.resources).toContainEqual(
      expect.objectContaining({
        name: 'smoke',
        hookPhase: 'Failed',
        message: 'Job has reached the specified backoff limit',
      }),
    );
    expect([status.sync?.status, status.health?.status]).toEqual(['Synced', 'Healthy']);
    expect(status.conditions).toEqual([]);
    const answer = await fetch(`${cluster.url}/api/v1/namespaces/failing/pods?labelSelector=test%3Dsmoke`, {
      headers: { authorization: `Bearer ${cluster.token}` },
    });
    const { items } = (await answer.json()) as PodList;
    const messages = items.map(({ status: pod }) => pod?.containerStatuses?.[0]?.state.terminated?.message);
    expect(messages).toEqual(['case 3: P is 1']);
    const mended = await commit('failing', { deployment: deployment('two'), hook: hookJob({}), service });
    await appWhere('failing', over(mended, 'Succeeded'));
  });

  it('comes after the hooks of lower waves, and goes where its policy says so', async () => {
    const second = join(cluster.dir, 'second.json');
    await createApp('waves');
    const early = hookJob({}, { 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' }, 'early');
    const late = hookJob({ RESULT: second }, { 'argocd.argoproj.io/sync-wave': '1' }, 'late');
    const revision = await commit('waves', { late, early, service });
    const { operationState } = await appWhere('waves', over(revision, 'Succeeded'));
    const hooks = operationState?.syncResult?.resources?.filter(({ hookType }) => hookType === 'PostSync');
    expect(hooks?.map(({ name }) => name)).toEqual(['early', 'late']);
    expect(existsSync(second)).toBe(true);
    await eventually('the early one is gone', () =>
      jobOf('waves', 'early').then(
        () => undefined,
        () => true,
      ),
    );
  });

  it('goes on after kill -9', async () => {
    const go = join(cluster.dir, 'go on');
    await createApp('killed');
    const hook = hookJob({ WAIT_FOR: go });
    const revision = await commit('killed', { hook: { ...hook, spec: { ...hook.spec, backoffLimit: 3 } }, service });
    await appWhere('killed', ({ operationState }) =>
      operationState?.message?.startsWith('waiting for completion of hook'),
    );
    const { uid } = (await jobOf('killed')).metadata ?? {};
    await cluster.restart('kill');
    writeFileSync(go, '');
    const { operationState } = await appWhere('killed', over(revision, 'Succeeded'));
    expect(operationState?.retryCount).toBeUndefined();
    expect((await jobOf('killed')).metadata?.uid).toBe(uid);
  });

  it('of another phase is refused with a sentence', async () => {
    await createApp('early');
    await commit('early', { hook: hookJob({}, { 'argocd.argoproj.io/hook': 'PreSync' }), service });
    const said = 'Job smoke is a hook of PreSync: the embedded cluster runs PostSync hooks only.';
    const { sync } = await appWhere('early', ({ conditions }) =>
      conditions?.some(({ type, message }) => type === 'ComparisonError' && message.endsWith(said)),
    );
    expect(sync?.status).toBe('Unknown');
  });
});
