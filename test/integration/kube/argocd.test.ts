import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesObject } from '@kubernetes/client-node';
import { pause } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../guards/source.ts';
import { rendering } from '../../manifests/render.ts';
import { eventually, passingState, startTestCluster, type TestCluster } from './cluster.ts';

type App = KubernetesObject & {
  spec: { syncPolicy: object };
  status?: {
    sync?: { status: string; revision?: string };
    health?: { status: string };
    reconciledAt?: string;
    operationState?: {
      phase: string;
      startedAt: string;
      finishedAt?: string;
      message?: string;
      syncResult?: { revision: string };
    };
    history?: { id: number; revision: string }[];
    resources?: { kind: string; name: string; status: string }[];
    conditions?: { type: string; message: string }[];
    summary?: { images?: string[] };
  };
};

let cluster: TestCluster;
let repo: string;
let work: string;

const git = (...args: string[]) =>
  execFileSync('git', args, {
    cwd: work,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: work, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();

/** Commits these files (undefined removes the folder) to main of the bare repository; answers the commit. */
function commit(files: Record<string, string | undefined>): string {
  for (const [path, content] of Object.entries(files)) {
    rmSync(join(work, path), { recursive: true, force: true });
    if (content === undefined) continue;
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), content);
  }
  git('add', '--all');
  git(
    '-c',
    'user.name=test',
    '-c',
    'user.email=test@example.com',
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    'change',
  );
  git('push', '--quiet', repo, 'HEAD:refs/heads/main');
  return git('rev-parse', 'HEAD');
}

const webhook = () =>
  fetch(`${cluster.url}/api/webhook`, {
    method: 'POST',
    body: JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: repo } }),
  });

const app = (name: string): Promise<App> =>
  cluster.objects.read<App>({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'openshift-gitops' },
  });

const appWhere = (name: string, holds: (status: NonNullable<App['status']>) => boolean | undefined) =>
  eventually(`application ${name}`, async () => {
    const found = await app(name);
    return found.status && holds(found.status) === true ? found : undefined;
  });

const isLiveAt = (revision: string) => (status: NonNullable<App['status']>) =>
  status.sync?.status === 'Synced' && status.sync.revision === revision && status.health?.status === 'Healthy';

const isGone = (asked: Promise<unknown>): Promise<true | undefined> =>
  asked.then(
    () => undefined,
    (error: { code: number }) => (error.code === 404 ? true : undefined),
  );

/** Asks for a comparison with what Git has now, and waits until it was made. */
async function refreshed(name: string): Promise<void> {
  const request = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'openshift-gitops', annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  };
  const merge = 'application/merge-patch+json';
  await cluster.objects.patch(request, undefined, undefined, undefined, undefined, merge);
  await eventually(`a refresh of ${name}`, async () =>
    (await app(name)).metadata?.annotations?.['argocd.argoproj.io/refresh'] === undefined ? true : undefined,
  );
}

const deployment = (model: string, image: string, note: string) =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: model },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: model } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: model }, annotations: { 'fairway.dev/change': note } },
        spec: {
          containers: [
            {
              name: 'serving',
              image,
              env: [{ name: 'CHANGE', value: note }],
              ports: [{ name: 'rest', containerPort: 8501 }],
              readinessProbe: { httpGet: { path: '/ready', port: 'rest' }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });

const service = (model: string) =>
  stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: model },
    spec: { selector: { app: model }, ports: [{ port: 8501, targetPort: 'rest' }] },
  });

const environment = (model: string, env: string, note: string) => {
  const at = `models/${model}/environments/${env}`;
  return {
    [`${at}/kustomization.yaml`]: stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['deployment.yaml', 'service.yaml'],
    }),
    [`${at}/deployment.yaml`]: deployment(model, cluster.images['tensorflow/serving'] ?? '', note),
    [`${at}/service.yaml`]: service(model),
    [`${at}/version.yaml`]: `change: ${note}\n`,
  };
};

/** Applies the shipped manifests with this test's repository in place of the placeholder. */
async function install(): Promise<void> {
  for (const file of ['appproject.yaml', 'applicationset-environments.yaml', 'applicationset-retrain.yaml']) {
    const text = readFileSync(join(ROOT, 'manifests/argocd', file), 'utf8').replaceAll(
      'https://git.example.com/fairway/gitops.git',
      repo,
    );
    for (const document of parseAllDocuments(text)) await cluster.objects.create(document.toJS() as KubernetesObject);
  }
}

beforeAll(async () => {
  // What happens here is what the webhook does: by itself it would look after an hour.
  cluster = await startTestCluster({ GIT_POLL_MS: '3600000' });
  const scratch = mkdtempSync(join(tmpdir(), 'fairway-git-'));
  work = join(scratch, 'work');
  repo = `file://${join(scratch, 'gitops.git')}`;
  mkdirSync(work);
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(scratch, 'gitops.git')]);
  git('init', '--quiet', '--initial-branch=main');
  commit({ 'README.md': 'gitops\n' });
  await install();
});

afterAll(async () => {
  await cluster.stop();
  rmSync(dirname(work), { recursive: true, force: true });
});

describe('Argo CD', () => {
  it('finds an environment, creates its namespace and brings it to life by the webhook', async () => {
    const revision = commit(environment('credit', 'dev', 'one'));
    await webhook();
    const { status } = await appWhere('credit-dev', isLiveAt(revision));
    expect(status?.operationState).toMatchObject({
      phase: 'Succeeded',
      syncResult: { revision },
      message: 'successfully synced (all tasks run)',
    });
    expect(status?.history).toMatchObject([{ id: 0, revision }]);
    expect(status?.summary?.images).toEqual([cluster.images['tensorflow/serving']]);
    expect(Date.parse(status?.reconciledAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(status?.operationState?.finishedAt ?? ''),
    );
    expect(status?.resources?.map(({ kind, status: sync }) => [kind, sync]).sort()).toEqual([
      ['Deployment', 'Synced'],
      ['Service', 'Synced'],
    ]);
  });

  it('advances the revision without an operation when a commit does not touch the path', async () => {
    const before = await app('credit-dev');
    const revision = commit({ 'README.md': 'changed\n' });
    await webhook();
    const { status } = await appWhere('credit-dev', ({ sync }) => sync?.revision === revision);
    expect(status?.operationState).toEqual(before.status?.operationState);
    expect(status?.sync?.status).toBe('Synced');
  });

  it('rolls a new version out and keeps the tracking id on what it applied', async () => {
    const revision = commit(environment('credit', 'dev', 'two'));
    await webhook();
    await appWhere('credit-dev', isLiveAt(revision));
    const live = await cluster.objects.read({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'credit', namespace: 'credit-dev' },
    });
    expect(live.metadata?.annotations?.['argocd.argoproj.io/tracking-id']).toBe(
      'credit-dev:apps/Deployment:credit-dev/credit',
    );
    expect(live).toMatchObject({ spec: { template: { metadata: { annotations: { 'fairway.dev/change': 'two' } } } } });
  });

  it('answers a refresh by removing the annotation and moving reconciledAt', async () => {
    const before = await app('credit-dev');
    await eventually('the next second', () => Date.now() - Date.parse(before.status?.reconciledAt ?? '') > 1000);
    await refreshed('credit-dev');
    const after = await app('credit-dev');
    expect(Date.parse(after.status?.reconciledAt ?? '')).toBeGreaterThan(Date.parse(before.status?.reconciledAt ?? ''));
  });

  it('heals what somebody changed by hand', async () => {
    const spoiled = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'credit', namespace: 'credit-dev' },
      spec: { selector: { app: 'nobody' } },
    };
    const spoil = () =>
      cluster.objects.patch(spoiled, undefined, undefined, undefined, undefined, 'application/merge-patch+json');
    const isSpoiled = ({ status }: App) => status?.sync?.status === 'OutOfSync';
    await passingState<App>(cluster, { name: 'credit-dev', namespace: 'openshift-gitops' }, spoil, isSpoiled);
    await appWhere('credit-dev', ({ sync }) => sync?.status === 'Synced');
    const live = await cluster.objects.read({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'credit', namespace: 'credit-dev' },
    });
    expect(live).toMatchObject({ spec: { selector: { app: 'credit' } } });
  });

  it('prunes what left the manifests', async () => {
    const at = 'models/credit/environments/dev';
    const kustomization = stringify({ resources: ['deployment.yaml'] });
    const revision = commit({ [`${at}/kustomization.yaml`]: kustomization, [`${at}/service.yaml`]: undefined });
    await webhook();
    await appWhere('credit-dev', isLiveAt(revision));
    const gone = cluster.objects.read({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'credit', namespace: 'credit-dev' },
    });
    await expect(gone).rejects.toMatchObject({ code: 404 });
  });

  it('reports a failed sync and does not try the same revision again', async () => {
    // The project allows no Secrets.
    const at = 'models/broken/environments/dev';
    const secret = stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'stolen' } });
    await cluster.objects.patch(
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'ApplicationSet',
        metadata: { name: 'fairway-environments', namespace: 'openshift-gitops' },
        spec: { template: { spec: { syncPolicy: { retry: { limit: 0 } } } } },
      } as KubernetesObject,
      undefined,
      undefined,
      undefined,
      undefined,
      'application/merge-patch+json',
    );
    const revision = commit({
      [`${at}/kustomization.yaml`]: stringify({ resources: ['secret.yaml'] }),
      [`${at}/secret.yaml`]: secret,
    });
    await webhook();
    const { status } = await appWhere('broken-dev', ({ conditions }) =>
      conditions?.some(({ type }) => type === 'SyncError'),
    );
    expect(status?.operationState).toMatchObject({ phase: 'Failed', syncResult: { revision } });
    expect(status?.operationState?.message).toContain('not permitted in project fairway');
    expect(status?.sync?.status).toBe('OutOfSync');
    const startedAt = status?.operationState?.startedAt;
    const fixed = commit({
      [`${at}/kustomization.yaml`]: stringify({ resources: ['service.yaml'] }),
      [`${at}/secret.yaml`]: undefined,
      [`${at}/service.yaml`]: service('broken'),
    });
    await webhook();
    const after = await appWhere(
      'broken-dev',
      ({ sync, operationState }) => sync?.status === 'Synced' && operationState?.syncResult?.revision === fixed,
    );
    expect(after.status?.operationState?.startedAt).not.toBe(undefined);
    expect(after.status?.conditions).toEqual([]);
    expect(startedAt).toBeDefined();
  });

  it('says what is wrong with manifests that do not render, and recovers', async () => {
    const at = 'models/broken/environments/dev';
    commit({ [`${at}/kustomization.yaml`]: stringify({ resources: ['nothing.yaml'] }) });
    await webhook();
    const { status } = await appWhere('broken-dev', ({ conditions }) =>
      conditions?.some(({ type }) => type === 'ComparisonError'),
    );
    expect(status?.sync?.status).toBe('Unknown');
    const revision = commit({ [`${at}/kustomization.yaml`]: stringify({ resources: ['service.yaml'] }) });
    await webhook();
    await appWhere('broken-dev', isLiveAt(revision));
  });

  it('runs a retrain Job once', async () => {
    const at = 'models/credit/retrain/abc123';
    const result = join(cluster.dir, 'retrained.json');
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'retrain-abc123' },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'trainer',
                image: cluster.images['home-equity-trainer'],
                env: [{ name: 'RESULT', value: result }],
              },
            ],
          },
        },
      },
    };
    const revision = commit({
      [`${at}/kustomization.yaml`]: stringify({ resources: ['job.yaml'] }),
      [`${at}/job.yaml`]: stringify(job),
      [`${at}/report.md`]: '# report\n',
    });
    await webhook();
    const { status } = await appWhere('credit-retrain-abc123', isLiveAt(revision));
    expect(status?.resources).toMatchObject([{ kind: 'Job', status: 'Synced' }]);
    expect(JSON.parse(readFileSync(result, 'utf8'))).toMatchObject({ env: { RESULT: result } });
    const run = () =>
      cluster.objects.read({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'retrain-abc123', namespace: 'credit-retrain' },
      });
    const { metadata: first } = await run();
    rmSync(result);

    // A later commit, a refresh and a controller that comes back change nothing, and a Job that is deleted does not come back.
    const later = commit({ 'README.md': 'after the training\n' });
    await webhook();
    await appWhere('credit-retrain-abc123', isLiveAt(later));
    await cluster.restart('kill');
    await refreshed('credit-retrain-abc123');
    expect((await run()).metadata?.uid).toBe(first?.uid);
    await cluster.objects.delete({ apiVersion: 'batch/v1', kind: 'Job', metadata: first ?? {} });
    await refreshed('credit-retrain-abc123');
    await appWhere('credit-retrain-abc123', ({ sync }) => sync?.status === 'OutOfSync');
    await refreshed('credit-retrain-abc123');
    await expect(run()).rejects.toMatchObject({ code: 404 });
    expect(existsSync(result)).toBe(false);
  });

  it.each([30, 150, 300, 600])('carries a sync on that kill -9 interrupts %i ms after the webhook', async (ms) => {
    const revision = commit(environment('credit', 'dev', `killed-${ms}`));
    await webhook();
    await pause(ms);
    await cluster.restart('kill');
    await appWhere('credit-dev', isLiveAt(revision));
    const ready = await eventually('only the new pod is left', async () => {
      const answer = await fetch(`${cluster.url}/fairway/pods`, {
        headers: { authorization: `Bearer ${cluster.token}` },
      });
      const { pods } = (await answer.json()) as { pods: { namespace: string; ready: boolean; podIP: string }[] };
      const mine = pods.filter((pod) => pod.namespace === 'credit-dev');
      return mine.length === 1 && mine[0]?.ready === true ? mine[0] : undefined;
    });
    const served = (await (await fetch(`http://${ready.podIP}:8501/`)).json()) as { env: { CHANGE: string } };
    expect(served.env.CHANGE).toBe(`killed-${ms}`);
  });

  it('asks a repository with its own credentials, and never shows them', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(request.headers.authorization ? 404 : 401, { 'www-authenticate': 'Basic' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/private.git`;
    const at = { namespace: 'openshift-gitops' };
    const labels = { 'argocd.argoproj.io/secret-type': 'repository' };
    const stringData = { type: 'git', url, username: 'argocd', password: 'very-secret-token' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { ...at, name: 'private', labels }, stringData };
    await cluster.objects.create(secret);
    await cluster.objects.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { ...at, name: 'private' },
      spec: {
        project: 'default',
        source: { repoURL: url, path: 'x' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'x' },
      },
    } as KubernetesObject);
    const { status } = await appWhere('private', ({ sync }) => sync?.status === 'Unknown');
    expect(asked).toContain(`Basic ${Buffer.from('argocd:very-secret-token').toString('base64')}`);
    expect(JSON.stringify(status)).not.toMatch(/very-secret-token|YXJnb2Nk/);
    expect(cluster.process.output()).not.toMatch(/very-secret-token|YXJnb2Nk/);
    await cluster.objects.delete({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { ...at, name: 'private' },
    });
    server.close();
  });

  it('wipes no model out where the guards are on: neither a lost folder nor a deleted Application', async () => {
    const set = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'fairway-environments', namespace: 'openshift-gitops' },
    };
    const guarded = rendering('manifests/argocd-guarded').objects.find(
      ({ kind, metadata }) => kind === 'ApplicationSet' && metadata.name === set.metadata.name,
    );
    const { spec: plain } = await cluster.objects.read<KubernetesObject & { spec: object }>(set);
    const follow = async (syncPolicy: object) => {
      const { metadata, ...live } = await cluster.objects.read<KubernetesObject>(set);
      await cluster.objects.replace({ ...live, metadata, spec: { ...plain, syncPolicy } } as KubernetesObject);
    };
    if (guarded === undefined) throw new Error('the guarded set is not rendered');
    await follow((guarded['spec'] as { syncPolicy: object }).syncPolicy);
    const revision = commit(environment('kept', 'prod', 'one'));
    await webhook();
    await appWhere('kept-prod', isLiveAt(revision));
    const workload = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'kept', namespace: 'kept-prod' } };
    const { metadata: serving } = await cluster.objects.read(workload);

    // The set has read the commit when what comes with it is there.
    commit({ 'models/kept': undefined, ...environment('later', 'prod', 'one') });
    await webhook();
    await eventually('the next Application', () => app('later-prod').catch(() => undefined));
    expect((await app('kept-prod')).metadata?.deletionTimestamp).toBeUndefined();
    await cluster.objects.delete(await app('kept-prod'));
    await eventually('the Application is gone', () => isGone(app('kept-prod')));
    expect((await cluster.objects.read(workload)).metadata?.uid).toBe(serving?.uid);
    await follow((plain as { syncPolicy: object }).syncPolicy);
  });

  it('removes Application and workload when the folder is gone', async () => {
    commit({ 'models/credit/environments': undefined });
    await webhook();
    await eventually('the Application is gone', () => isGone(app('credit-dev')));
    const gone = cluster.objects.read({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'credit', namespace: 'credit-dev' },
    });
    await expect(gone).rejects.toMatchObject({ code: 404 });
  });
});
