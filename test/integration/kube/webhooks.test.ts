import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { patch, startWebhooks, type WebhookServer } from '../../conformance/kube/webhook-server.ts';
import { eventually, namespace, startTestCluster, type TestCluster } from './cluster.ts';

const NS = 'hooked';
let cluster: TestCluster;
let webhook: WebhookServer;
const folder = mkdtempSync(join(tmpdir(), 'fairway-hooks-'));
const identity = loadIdentity(folder, [`stamper.${NS}.svc`], Date.now());

beforeAll(async () => {
  cluster = await startTestCluster();
  webhook = await startWebhooks(identity);
  webhook.on('/stamp', () => patch([{ op: 'add', path: '/metadata/labels/stamped', value: 'yes' }]));
  await cluster.objects.create(namespace(NS));
  await create('v1', 'Service', 'stamper', { spec: { ports: [{ port: 8443 }] } });
  await route();
  await cluster.objects.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'stamper' },
    webhooks: [
      {
        name: 'stamper.hooked.example.com',
        clientConfig: {
          service: { namespace: NS, name: 'stamper', path: '/stamp', port: 8443 },
          caBundle: Buffer.from(identity.certificate).toString('base64'),
        },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
    ],
  } as KubernetesObject);
});
afterAll(async () => {
  await cluster.stop();
  await webhook.stop();
  rmSync(folder, { recursive: true, force: true });
});

const create = (apiVersion: string, kind: string, name: string, rest: object) =>
  cluster.objects.create({ apiVersion, kind, metadata: { name, namespace: NS }, ...rest });
/** The Service leads to the webhook, which is no pod. */
const route = () =>
  cluster.objects.create({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'stamper', namespace: NS, labels: { 'kubernetes.io/service-name': 'stamper' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: '', port: webhook.port, protocol: 'TCP' }],
  } as KubernetesObject);
const template = (app: string, image: string, rest: object = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'one', image: cluster.images[image] }], ...rest },
});
const podsOf = async (app: string) =>
  (await cluster.objects.list('v1', 'Pod', NS, undefined, undefined, undefined, undefined, `app=${app}`)).items;
const stamped = (app: string) =>
  eventually(`a stamped pod of ${app}`, async () => {
    const [pod] = await podsOf(app);
    return pod?.metadata?.labels?.['stamped'] === 'yes' ? pod : undefined;
  });
const askedFor = (app: string) =>
  webhook.asked.filter(
    ({ request }) => (request.object?.metadata['labels'] as { app?: string } | undefined)?.app === app,
  );
const deployment = (name: string) =>
  create('apps/v1', 'Deployment', name, {
    spec: { selector: { matchLabels: { app: name } }, template: template(name, 'tensorflow/serving') },
  });

it('pods of Deployments pass a webhook behind a Service, nameless as they are', async () => {
  await deployment('served');
  const pod = await stamped('served');
  expect(pod.metadata?.name).toMatch(/^served-.+-.{5}$/);
  const [first] = askedFor('served');
  expect(first?.request.userInfo.username).toBe('system:serviceaccount:kube-system:replicaset-controller');
  expect(first?.request.object?.metadata).toHaveProperty('generateName');
  expect(first?.request.object?.metadata).not.toHaveProperty('name');
});

it('pods of Jobs do, too', async () => {
  const spec = { template: template('task', 'home-equity-trainer', { restartPolicy: 'Never' }) };
  await create('batch/v1', 'Job', 'task', { spec });
  await stamped('task');
  expect(askedFor('task')[0]?.request.userInfo.username).toMatch(/:job-controller$/);
});

it('while the webhook is away none is made, an event of the ReplicaSet says why, and then it goes on', async () => {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'stamper', namespace: NS },
  };
  await cluster.objects.delete(slice);
  await deployment('late');
  const event = await eventually('an event', async () => {
    const { items } = await cluster.objects.list<KubernetesObject & { reason: string; message: string }>(
      'v1',
      'Event',
      NS,
    );
    return items.find(({ reason }) => reason === 'FailedCreate');
  });
  expect(event.message).toMatch(
    /Error creating: Internal error occurred: failed calling webhook "stamper\.hooked\.example\.com".*stamper\.hooked\.svc:8443/,
  );
  expect(await podsOf('late')).toEqual([]);
  await route();
  await stamped('late');
});
