import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from '@fairway/core';
import type { KubernetesObject } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, namespace, startTestCluster, type TestCluster } from './cluster.ts';

type Terminated = { exitCode: number; finishedAt: string; startedAt: string };
type ContainerStatus = {
  name: string;
  ready: boolean;
  restartCount: number;
  state: { waiting?: { reason: string }; running?: object; terminated?: Terminated };
};
type Pod = KubernetesObject & {
  status: {
    phase: string;
    podIP: string;
    conditions: { type: string; status: string }[];
    containerStatuses: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
};
type Answer = { pid: number; env: Record<string, string>; argv: string[]; note: string };

let cluster: TestCluster;
const NS = 'kubelet';

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.objects.create(namespace(NS));
});
afterAll(() => cluster.stop());

const create = (apiVersion: string, kind: string, name: string, rest: object) =>
  cluster.objects.create({ apiVersion, kind, metadata: { name, namespace: NS }, ...rest });
const read = (apiVersion: string, kind: string, name: string) =>
  cluster.objects.read({ apiVersion, kind, metadata: { name, namespace: NS } });
const pod = async (name: string) => (await read('v1', 'Pod', name)) as Pod;
const podWhere = (name: string, holds: (pod: Pod) => boolean | undefined) =>
  eventually(`pod ${name}`, async () => {
    const found = await pod(name);
    return found.status.phase !== undefined && holds(found) === true ? found : undefined;
  });
const isReady = ({ status }: Pod) =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
const get = async (host: string, path = '/') =>
  (await (await fetch(`http://${host}:8501${path}`, { headers: { connection: 'close' } })).json()) as Answer;
const container = (name: string, image: string, rest: object = {}) => ({ name, image: cluster.images[image], ...rest });
const server = (rest: object = {}) =>
  container('serving', 'tensorflow/serving', {
    ports: [{ name: 'rest', containerPort: 8501 }],
    readinessProbe: { httpGet: { path: '/ready', port: 'rest' }, periodSeconds: 1 },
    ...rest,
  });
const isAlive = (pid: number) => processStart(pid) !== undefined;
const patch = (object: object) =>
  cluster.objects.patch(object, undefined, undefined, undefined, undefined, 'application/merge-patch+json');
const deployment = (name: string, spec: object, replicas = 1) =>
  create('apps/v1', 'Deployment', name, {
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  });
const service = async (name: string) => {
  await create('v1', 'Service', name, {
    spec: { selector: { app: name }, ports: [{ port: 8501, targetPort: 'rest' }] },
  });
  return ((await read('v1', 'Service', name)) as KubernetesObject & { spec: { clusterIP: string } }).spec.clusterIP;
};

describe('containers', () => {
  it('get the environment, folders and arguments that the manifest asks for, as host paths', async () => {
    mkdirSync(join(cluster.dir, 'registry'));
    await create('v1', 'Secret', 'queue', { stringData: { url: 'postgres://queue', prefix: 'fairway' } });
    await create('v1', 'ConfigMap', 'settings', { data: { 'app.conf': 'a=1' } });
    await cluster.objects.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'registry' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany'],
        hostPath: { path: join(cluster.dir, 'registry') },
      },
    } as KubernetesObject);
    await create('v1', 'PersistentVolumeClaim', 'registry', {
      spec: {
        volumeName: 'registry',
        storageClassName: '',
        accessModes: ['ReadWriteMany'],
        resources: { requests: { storage: '1Gi' } },
      },
    });
    await create('v1', 'Pod', 'environment', {
      spec: {
        containers: [
          server({
            args: ['--config=/etc/settings/app.conf', '/models', '/nowhere'],
            env: [
              { name: 'QUEUE_URL', valueFrom: { secretKeyRef: { name: 'queue', key: 'url' } } },
              { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'BOTH', value: '$(POD)@$(IP) $$(POD) $(UNKNOWN)' },
              { name: 'REGISTRY', value: '/registry/home-equity' },
              { name: 'MODEL', value: '/models/home-equity' },
              { name: 'SECRET_FILE', value: '/run/queue/url' },
            ],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/settings' },
              { name: 'registry', mountPath: '/registry' },
              { name: 'queue', mountPath: '/run/queue' },
            ],
          }),
        ],
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'registry', persistentVolumeClaim: { claimName: 'registry' } },
          { name: 'queue', secret: { secretName: 'queue' } },
        ],
      },
    });
    const { status } = await podWhere('environment', isReady);
    const { env, argv } = await get(status.podIP);
    expect(env).toMatchObject({
      QUEUE_URL: 'postgres://queue',
      POD: 'environment',
      IP: status.podIP,
      BIND: status.podIP,
      BOTH: `environment@${status.podIP} $(POD) $(UNKNOWN)`,
      MODEL_NAME: 'model',
    });
    expect(env['REGISTRY']).toBe(join(cluster.dir, 'registry', 'home-equity'));
    expect(existsSync(env['MODEL_BASE_PATH'] ?? '')).toBe(true);
    expect(env['MODEL']).toBe(join(env['MODEL_BASE_PATH'] ?? '', 'home-equity'));
    expect(readFileSync(env['SECRET_FILE'] ?? '', 'utf8')).toBe('postgres://queue');
    expect(readFileSync((argv[0] ?? '').slice('--config='.length), 'utf8')).toBe('a=1');
    expect(argv.slice(1)).toEqual([env['MODEL_BASE_PATH'], '/nowhere']);
    expect(Object.keys(env)).not.toContain('KUBE_TOKEN');
  });

  it('start only after their sidecar has started up, and stop before it', async () => {
    await create('v1', 'Pod', 'sidecar', {
      spec: {
        terminationGracePeriodSeconds: 10,
        initContainers: [
          container('agent', 'fairway/agent', {
            restartPolicy: 'Always',
            env: [
              { name: 'PORT', value: '9001' },
              { name: 'READY_AFTER_MS', value: '3000' },
            ],
            startupProbe: { httpGet: { path: '/ready', port: 9001 }, periodSeconds: 1, failureThreshold: 30 },
          }),
        ],
        containers: [server({ env: [{ name: 'STOP_AFTER_MS', value: '300' }] })],
      },
    });
    await podWhere(
      'sidecar',
      ({ status }) =>
        status.initContainerStatuses?.[0]?.state.running !== undefined &&
        status.containerStatuses[0]?.state.waiting?.reason === 'PodInitializing',
    );
    const { metadata } = await podWhere('sidecar', isReady);
    const {
      body: { pods },
    } = await report();
    const [mine] = pods.filter(({ pod: name }) => name === 'sidecar');
    expect(mine).toMatchObject({
      namespace: NS,
      ready: true,
      processes: [{ container: 'agent' }, { container: 'serving', ports: [{ name: 'rest', port: 8501 }] }],
    });
    await cluster.objects.delete({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'sidecar', namespace: NS } });
    await eventually('the pod is gone', () =>
      pod('sidecar').then(
        () => undefined,
        () => true,
      ),
    );
    for (const { pid } of mine?.processes ?? []) expect(isAlive(pid)).toBe(false);
    const stopped = (name: string) =>
      Number(
        /stopping (\d+)/.exec(
          readFileSync(join(cluster.dir, 'data', 'pods', `${NS}_sidecar_${metadata?.uid}`, `${name}.log`), 'utf8'),
        )?.[1],
      );
    expect(stopped('agent') - stopped('serving')).toBeGreaterThanOrEqual(300);
  });

  it('are restarted in the same pod with their emptyDir, first at once, then with a back-off', async () => {
    const note = {
      env: [{ name: 'NOTE', value: '/spool/first-pid' }],
      volumeMounts: [{ name: 'spool', mountPath: '/spool' }],
    };
    await create('v1', 'Pod', 'restarts', {
      spec: { containers: [server(note)], volumes: [{ name: 'spool', emptyDir: {} }] },
    });
    const { status } = await podWhere('restarts', isReady);
    const first = await get(status.podIP);
    await get(status.podIP, '/exit').catch(() => {});
    await podWhere('restarts', (now) => isReady(now) && now.status.containerStatuses[0]?.restartCount === 1);
    const second = await get(status.podIP);
    expect(second.pid).not.toBe(first.pid);
    expect(second.note).toBe(String(first.pid));
    await get(status.podIP, '/exit').catch(() => {});
    await podWhere('restarts', (now) => now.status.containerStatuses[0]?.state.waiting?.reason === 'CrashLoopBackOff');
    await podWhere('restarts', (now) => isReady(now) && now.status.containerStatuses[0]?.restartCount === 2);
  });

  it.each([
    [
      'an image that is not in the layout',
      `tensorflow/serving@sha256:${'0'.repeat(64)}`,
      /^(ErrImagePull|ImagePullBackOff)$/,
    ],
    ['an image without a digest', 'tensorflow/serving:latest', /^InvalidImageName$/],
  ])('wait with the reason for %s', async (what, image, reason) => {
    const name = what.replaceAll(/[^a-z]+/g, '-');
    await create('v1', 'Pod', name, { spec: { containers: [{ name: 'serving', image }] } });
    await podWhere(name, ({ status }) => reason.test(status.containerStatuses?.[0]?.state.waiting?.reason ?? ''));
  });

  it('write a log that the API serves', async () => {
    await create('v1', 'Pod', 'talks', {
      spec: {
        restartPolicy: 'Never',
        containers: [container('trainer', 'home-equity-trainer', { env: [{ name: 'SAY', value: 'one\ntwo' }] })],
      },
    });
    await podWhere('talks', ({ status }) => status.phase === 'Succeeded');
    const log = (query: string) =>
      fetch(`${cluster.url}/api/v1/namespaces/${NS}/pods/talks/log${query}`, {
        headers: { authorization: `Bearer ${cluster.token}` },
      });
    expect(await (await log('')).text()).toBe('one\ntwo\n');
    expect(await (await log('?tailLines=1')).text()).toBe('two\n');
    expect((await log('?container=nobody')).status).toBe(400);
  });
});

const report = async () => {
  const answer = await fetch(`${cluster.url}/fairway/pods`, { headers: { authorization: `Bearer ${cluster.token}` } });
  return {
    body: (await answer.json()) as {
      pods: {
        namespace: string;
        pod: string;
        ready: boolean;
        processes: { container: string; pid: number; url: string }[];
      }[];
    },
  };
};

describe('services', () => {
  it('lose no request while a new version rolls out, and keep what is open', async () => {
    await deployment('rolling', {
      containers: [
        server({
          env: [
            { name: 'VERSION', value: '1' },
            { name: 'READY_AFTER_MS', value: '1000' },
          ],
        }),
      ],
    });
    const ip = await service('rolling');
    await eventually('the first answer', () => get(ip));
    const slow = fetch(`http://${ip}:8501/slow`).then((answer) => answer.text());
    await patch({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'rolling', namespace: NS },
      spec: {
        template: {
          spec: {
            containers: [
              server({
                env: [
                  { name: 'VERSION', value: '2' },
                  { name: 'READY_AFTER_MS', value: '1000' },
                ],
              }),
            ],
          },
        },
      },
    });
    let requests = 0;
    const seen = new Set<string | undefined>();
    await eventually('only version 2 answers', async () => {
      const { env } = await get(ip);
      requests += 1;
      seen.add(env['VERSION']);
      const { status } = (await read('apps/v1', 'Deployment', 'rolling')) as KubernetesObject & {
        status: { updatedReplicas: number; replicas: number; availableReplicas: number };
      };
      return (
        env['VERSION'] === '2' &&
        status.updatedReplicas === 1 &&
        status.replicas === 1 &&
        status.availableReplicas === 1
      );
    });
    expect([...seen]).toEqual(['1', '2']);
    expect(requests).toBeGreaterThan(3);
    expect(await slow).toBe('slow');
  });

  it('share requests among ready pods and refuse them when there is none', async () => {
    await deployment('shared', { containers: [server()] }, 2);
    const ip = await service('shared');
    await eventually('both pods answer', async () => {
      const pids = await Promise.all([get(ip), get(ip), get(ip), get(ip)]);
      return new Set(pids.map(({ pid }) => pid)).size === 2;
    });
    await patch({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shared', namespace: NS },
      spec: { replicas: 0 },
    });
    await eventually('nobody answers', () =>
      get(ip).then(
        () => undefined,
        (error: Error & { cause?: { code?: string } }) => error.cause?.code === 'ECONNREFUSED',
      ),
    );
  });
});

type Job = KubernetesObject & {
  status: { succeeded?: number; failed?: number; conditions?: { type: string; status: string; reason: string }[] };
};
const job = (name: string, exitCode: number, spec: object) =>
  create('batch/v1', 'Job', name, {
    spec: {
      ...spec,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [
            container('trainer', 'home-equity-trainer', { env: [{ name: 'EXIT_CODE', value: String(exitCode) }] }),
          ],
        },
      },
    },
  });
const jobEnd = (name: string, type: string) =>
  eventually(`job ${name} is ${type}`, async () => {
    const { status } = (await read('batch/v1', 'Job', name)) as Job;
    return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') && status;
  });

describe('jobs', () => {
  it('complete', async () => {
    await job('completes', 0, {});
    expect(await jobEnd('completes', 'Complete')).toMatchObject({ succeeded: 1, active: 0, ready: 0 });
  });
  it('are tried again up to the back-off limit', async () => {
    await job('fails', 1, { backoffLimit: 1 });
    expect(await jobEnd('fails', 'Failed')).toMatchObject({
      failed: 2,
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'Failed', reason: 'BackoffLimitExceeded' })]),
    });
  });
  it('are not tried again when their policy calls the exit code final', async () => {
    await job('refused', 10, {
      backoffLimit: 3,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [10] } }] },
    });
    expect(await jobEnd('refused', 'Failed')).toMatchObject({
      failed: 1,
      conditions: expect.arrayContaining([expect.objectContaining({ reason: 'PodFailurePolicy' })]),
    });
  });
  it('are removed with their pods after their time to live', async () => {
    await job('expires', 0, { ttlSecondsAfterFinished: 1 });
    await eventually('the job is gone', () =>
      read('batch/v1', 'Job', 'expires').then(
        () => undefined,
        () => true,
      ),
    );
    await eventually(
      'its pods are gone',
      async () =>
        (await cluster.objects.list('v1', 'Pod', NS, undefined, undefined, undefined, undefined, 'job-name=expires'))
          .items.length === 0,
    );
  });
});

describe('what goes wrong', () => {
  it('a container that fails its liveness probe is restarted', async () => {
    const livenessProbe = { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1 };
    await create('v1', 'Pod', 'lifeless', { spec: { containers: [server({ livenessProbe })] } });
    await podWhere('lifeless', ({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    await cluster.objects.delete({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lifeless', namespace: NS } });
  });

  it('a rollout that gets nowhere says so after its deadline', async () => {
    const labels = { app: 'stuck' };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'a', image: `a@sha256:${'0'.repeat(64)}` }] },
    };
    await create('apps/v1', 'Deployment', 'stuck', {
      spec: { progressDeadlineSeconds: 1, selector: { matchLabels: labels }, template },
    });
    type Status = { status?: { conditions?: { type: string; status: string; reason: string }[] } };
    await eventually('ProgressDeadlineExceeded', async () => {
      const { status } = (await read('apps/v1', 'Deployment', 'stuck')) as Status;
      return status?.conditions?.some(
        ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
      );
    });
  });

  it('a namespace takes everything in it along, and stops what runs', async () => {
    const inside = 'short-lived';
    await cluster.objects.create(namespace(inside));
    await cluster.objects.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'inside', namespace: inside },
      spec: { containers: [server()] },
    } as KubernetesObject);
    const pid = await eventually('the pod runs', async () => {
      const { body } = await report();
      return body.pods.find(({ pod: name, ready }) => name === 'inside' && ready)?.processes[0]?.pid;
    });
    await cluster.objects.delete(namespace(inside));
    const gone = () =>
      cluster.objects.read({ ...namespace(inside), metadata: { name: inside } }).then(
        () => undefined,
        (error: { code: number }) => error.code === 404,
      );
    await eventually('the namespace is gone', gone);
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the death of the cluster process', () => {
  it.each(['kill', 'stop'] as const)(
    'by %s: old processes end, the same pods come back with their files',
    async (end) => {
      const name = `survives-${end}`;
      const note = {
        env: [{ name: 'NOTE', value: '/spool/first-pid' }],
        volumeMounts: [{ name: 'spool', mountPath: '/spool' }],
      };
      await create('v1', 'Pod', name, {
        spec: { containers: [server(note)], volumes: [{ name: 'spool', emptyDir: {} }] },
      });
      const before = await podWhere(name, isReady);
      const first = await get(before.status.podIP);
      await cluster.restart(end);
      const after = await podWhere(name, isReady);
      expect(after.metadata?.uid).toBe(before.metadata?.uid);
      expect(after.status.podIP).toBe(before.status.podIP);
      const second = await get(after.status.podIP);
      expect(second.pid).not.toBe(first.pid);
      expect(second.note).toBe(String(first.pid));
      expect(isAlive(first.pid)).toBe(false);
    },
  );

  it('makes watchers of an earlier life read the list again', async () => {
    const url = `${cluster.url}/api/v1/namespaces/${NS}/pods?watch=true&resourceVersion=1`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${cluster.token}` } });
    expect(JSON.parse(await answer.text())).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  });

  it('does not hinder a second cluster on the same machine', async () => {
    const other = await startTestCluster();
    try {
      const read = (at: TestCluster) =>
        JSON.parse(readFileSync(join(at.dir, 'data', 'network.json'), 'utf8')) as { prefix: string };
      expect(read(other).prefix).not.toBe(read(cluster).prefix);
    } finally {
      await other.stop();
    }
  });
});
