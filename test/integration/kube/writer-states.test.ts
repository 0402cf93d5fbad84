import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { type Logger, silentLogger, systemClock } from '@fairway/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { applicationCache } from '../../../packages/gitops-writer/src/cluster/applications.ts';
import { kubernetesCluster } from '../../../packages/gitops-writer/src/cluster/kubernetes.ts';
import { call } from '../../conformance/kube/world.ts';
import { eventually, startTestCluster, type TestCluster } from './cluster.ts';

const ARGO = 'openshift-gitops';

let cluster: TestCluster;
let folder: string;
let warned: { watch?: unknown; reason?: unknown }[];
const log: Logger = {
  ...silentLogger,
  warn: (fields: object) => void warned.push(fields),
};
beforeEach(() => {
  warned = [];
  folder = mkdtempSync(join(tmpdir(), 'fairway-states-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The writer's eyes, by a kubeconfig with another token or another authority. */
function eyes({ token, ca }: { token?: string; ca?: string } = {}) {
  const config = new KubeConfig();
  const known = cluster.config.getCurrentCluster();
  if (known === null) throw new Error('the kubeconfig names no cluster');
  const at = ca === undefined ? known : { ...known, caData: Buffer.from(ca).toString('base64') };
  config.loadFromClusterAndUser(at, { name: 'writer', token: token ?? cluster.token });
  const cache = applicationCache(config, ARGO, systemClock, log);
  return { cache, cluster: kubernetesCluster(config, ARGO, cache) };
}

/** Lets the watch fail for a while: it says why, once for a row of failures, and goes on trying. */
async function failing(seen: ReturnType<typeof eyes>, told: RegExp, heal?: () => Promise<unknown>) {
  await seen.cache.start();
  try {
    await eventually('the reason is told', () => warned.some(({ reason }) => told.test(String(reason))));
    expect(seen.cache.look('any')).toBe('unknown');
    if (heal === undefined) return;
    await heal();
    await eventually('the watch is back', () => seen.cache.look('any') !== 'unknown', 60_000);
    expect(warned).toHaveLength(1);
  } finally {
    await seen.cache.stop();
  }
}

it('a cluster without Argo CD is told as that, and found when it has come', async () => {
  cluster = await startTestCluster({ API_GROUPS_LACKING: 'argoproj.io' });
  const seen = eyes();
  await failing(seen, /does not serve this kind \(404\): is Argo CD installed in this cluster/);
  expect(await seen.cluster.application('any', 'now')).toBeUndefined();
});

it('rights that are missing are named, and used as soon as they are given', async () => {
  cluster = await startTestCluster();
  const accounts = `/api/v1/namespaces/${ARGO}/serviceaccounts`;
  await call(cluster, 'POST', accounts, { body: { metadata: { name: 'writer' } } });
  const answer = await call(cluster, 'POST', `${accounts}/writer/token`, { body: { spec: {} } });
  const { token } = answer.body['status'] as { token: string };
  const seen = eyes({ token });
  await failing(seen, /refuses the writer \(403\); give its service account get, list, watch/, async () => {
    await expect(seen.cluster.application('any', 'now')).rejects.toThrow(/refuses the writer \(403\)/);
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [{ apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['get', 'list', 'watch'] }];
    await call(cluster, 'POST', `${rbac}/namespaces/${ARGO}/roles`, { body: { metadata: { name: 'writer' }, rules } });
    await call(cluster, 'POST', `${rbac}/namespaces/${ARGO}/rolebindings`, {
      body: {
        metadata: { name: 'writer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' },
        subjects: [{ kind: 'ServiceAccount', name: 'writer', namespace: ARGO }],
      },
    });
  });
});

it('a token that is not known is told as that', async () => {
  cluster = await startTestCluster();
  await failing(eyes({ token: 'wrong' }), /does not know the writer \(401\): its token has expired/);
});

it('a certificate that has expired, and one of another authority, are told as that', async () => {
  cluster = await startTestCluster();
  const stranger = loadIdentity(join(folder, 'stranger'), ['127.0.0.1'], Date.now());
  await failing(eyes({ ca: stranger.certificate }), /is not reached: its certificate is not signed by an authority/);
  const file = join(cluster.dir, 'data', 'tls', 'identity.json');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify(loadIdentity(join(folder, 'old'), ['127.0.0.1'], Date.parse('2010-01-01'))));
  await cluster.restart('stop');
  warned = [];
  await failing(eyes(), /is not reached: its certificate has expired/);
  writeFileSync(file, good);
});
