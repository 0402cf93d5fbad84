import { AppsV1Api, CoreV1Api, makeInformer, type V1ConfigMap, Watch } from '@kubernetes/client-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../integration/kube/cluster.ts';
import { call, MERGE, type World } from './world.ts';

/** Objects, updates, patches, lists and watches, as clients of Kubernetes use them. */
export function objectCases(world: () => World): void {
  let core: CoreV1Api;
  let apps: AppsV1Api;
  let NS: string;

  beforeAll(() => {
    const { config, namespace } = world();
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
    NS = namespace;
  });

  const create = (name: string, data?: Record<string, string>, labels?: Record<string, string>) =>
    core.createNamespacedConfigMap({ namespace: NS, body: settings(name, data, labels) });
  const patchMap = (name: string, body: object, kind: 'merge-patch' | 'json-patch' | 'strategic-merge-patch') =>
    call(world(), 'PATCH', `/api/v1/namespaces/${NS}/configmaps/${name}`, { body, type: `application/${kind}+json` });

  describe('objects', () => {
    it('get uid, version and creation time (in whole seconds) from the server', async () => {
      const { metadata } = await create('fresh');
      expect(metadata).toMatchObject({
        name: 'fresh',
        namespace: NS,
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        resourceVersion: expect.stringMatching(/^\d+$/),
      });
      expect(metadata?.creationTimestamp?.getMilliseconds()).toBe(0);
    });
    it('get a name from generateName', async () => {
      const { metadata } = await core.createNamespacedConfigMap({
        namespace: NS,
        body: { metadata: { generateName: 'made-' } },
      });
      expect(metadata?.name).toMatch(/^made-[a-z0-9]{5}$/);
    });
    it.each([
      ['a second of the same name', () => create('fresh'), 409, 'AlreadyExists', /configmaps "fresh" already exists/],
      [
        'one that is not there',
        () => core.readNamespacedConfigMap({ namespace: NS, name: 'nobody' }),
        404,
        'NotFound',
        /configmaps "nobody" not found/,
      ],
      [
        'a namespace that is not there',
        () => core.createNamespacedConfigMap({ namespace: 'nowhere-at-all', body: settings('x') }),
        404,
        'NotFound',
        /namespaces "nowhere-at-all" not found/,
      ],
      ['an invalid name', () => create('Not_Valid'), 422, 'Invalid', /metadata.name/],
      [
        'a Deployment whose selector misses its template',
        () => apps.createNamespacedDeployment({ namespace: NS, body: deployment('odd', 'other') }),
        422,
        'Invalid',
        /selector/,
      ],
    ])('%s is refused as a Status', async (_, call, code, why, message) => {
      const refused = await reason(call());
      expect(refused).toMatchObject({ code, reason: why });
      expect(refused.message).toMatch(message);
    });
    it('are removed', async () => {
      await create('leaving');
      await core.deleteNamespacedConfigMap({ namespace: NS, name: 'leaving' });
      expect(await reason(core.readNamespacedConfigMap({ namespace: NS, name: 'leaving' }))).toMatchObject({
        code: 404,
      });
    });
    it('with a finalizer stay until it is taken off', async () => {
      await core.createNamespacedConfigMap({
        namespace: NS,
        body: { metadata: { name: 'held', finalizers: ['fairway.dev/hold'] } },
      });
      await core.deleteNamespacedConfigMap({ namespace: NS, name: 'held' });
      const held = await core.readNamespacedConfigMap({ namespace: NS, name: 'held' });
      expect(held.metadata?.deletionTimestamp).toBeDefined();
      await patchMap('held', { metadata: { finalizers: null } }, 'merge-patch');
      expect(await reason(core.readNamespacedConfigMap({ namespace: NS, name: 'held' }))).toMatchObject({ code: 404 });
    });
    it('are not stored by a dry run', async () => {
      await core.createNamespacedConfigMap({ namespace: NS, body: settings('dry'), dryRun: 'All' });
      expect(await reason(core.readNamespacedConfigMap({ namespace: NS, name: 'dry' }))).toMatchObject({ code: 404 });
    });
  });

  describe('updates', () => {
    it('with a stale version conflict, with the current one they succeed', async () => {
      const first = await create('contested', { a: '1' });
      const second = await core.replaceNamespacedConfigMap({
        namespace: NS,
        name: 'contested',
        body: changed(first, { data: { a: '2' } }),
      });
      expect(Number(second.metadata?.resourceVersion)).toBeGreaterThan(Number(first.metadata?.resourceVersion));
      expect(
        await reason(
          core.replaceNamespacedConfigMap({
            namespace: NS,
            name: 'contested',
            body: changed(first, { data: { a: '3' } }),
          }),
        ),
      ).toMatchObject({ code: 409, reason: 'Conflict' });
    });
    it('that change nothing keep the version', async () => {
      const first = await create('same', { a: '1' });
      const second = await core.replaceNamespacedConfigMap({ namespace: NS, name: 'same', body: first });
      expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    });
    it('count the generation for spec, not for labels, and keep the status apart', async () => {
      await apps.createNamespacedDeployment({ namespace: NS, body: deployment('counted') });
      const at = `/apis/apps/v1/namespaces/${NS}/deployments/counted`;
      const generation = async (body: object, sub = '') =>
        (await call(world(), 'PATCH', at + sub, { body, type: MERGE })).body.metadata.generation;
      expect(await generation({ metadata: { labels: { a: 'b' } } })).toBe(1);
      expect(await generation({ spec: { minReadySeconds: 3 } })).toBe(2);
      expect(await generation({ status: { readyReplicas: 7 } })).toBe(2);
      expect(await generation({ spec: { minReadySeconds: 5 } }, '/status')).toBe(2);
      const { spec, status } = await apps.readNamespacedDeployment({ namespace: NS, name: 'counted' });
      expect(spec).toMatchObject({
        minReadySeconds: 3,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate' },
      });
      expect(status?.readyReplicas).not.toBe(7);
    });
  });

  describe('patches', () => {
    it('merge', async () => {
      await create('merged', { a: '1', b: '2' });
      const { status, body } = await patchMap('merged', { data: { a: null, c: '3' } }, 'merge-patch');
      expect(status).toBe(200);
      expect(body['data']).toEqual({ b: '2', c: '3' });
    });
    it('JSON with a test', async () => {
      await create('tested', { a: '1' });
      const patch = (value: string) =>
        patchMap(
          'tested',
          [
            { op: 'test', path: '/data/a', value },
            { op: 'replace', path: '/data/a', value: '2' },
          ],
          'json-patch',
        );
      expect((await patch('9')).status).toBe(422);
      expect((await patch('1')).body['data']).toEqual({ a: '2' });
    });
    it('strategic: containers by name', async () => {
      await apps.createNamespacedDeployment({ namespace: NS, body: deployment('strategic') });
      await call(world(), 'PATCH', `/apis/apps/v1/namespaces/${NS}/deployments/strategic`, {
        body: { spec: { template: { spec: { containers: [{ name: 'b', image: 'b@sha256:1' }] } } } },
        type: 'application/strategic-merge-patch+json',
      });
      const { spec } = await apps.readNamespacedDeployment({ namespace: NS, name: 'strategic' });
      expect(spec?.template.spec?.containers.map(({ name, image }) => [name, image])).toEqual([
        ['a', 'a@sha256:0'],
        ['b', 'b@sha256:1'],
      ]);
    });
  });

  describe('lists and watches', () => {
    it('select by labels and fields', async () => {
      await create('red', {}, { colour: 'red', size: 'big' });
      await create('blue', {}, { colour: 'blue' });
      const names = async (query: { labelSelector?: string; fieldSelector?: string }) =>
        (await core.listNamespacedConfigMap({ namespace: NS, ...query })).items.map(({ metadata }) => metadata?.name);
      expect(await names({ labelSelector: 'colour=red' })).toEqual(['red']);
      expect(await names({ labelSelector: 'colour in (red,blue),!size' })).toEqual(['blue']);
      expect(await names({ labelSelector: 'colour,colour!=red' })).toEqual(['blue']);
      expect(await names({ fieldSelector: 'metadata.name=red' })).toEqual(['red']);
    });
    it('an informer hears of everything that happens', async () => {
      const list = () => core.listNamespacedConfigMap({ namespace: NS, labelSelector: 'informed=yes' });
      const informer = makeInformer(world().config, `/api/v1/namespaces/${NS}/configmaps`, list, 'informed=yes');
      const heard: string[] = [];
      for (const event of ['add', 'update', 'delete'] as const)
        informer.on(event, ({ metadata }) => void heard.push(`${event} ${metadata?.name}`));
      await create('early', {}, { informed: 'yes' });
      await informer.start();
      await create('late', {}, { informed: 'yes' });
      await create('unseen', {}, { informed: 'no' });
      await patchMap('late', { data: { a: '1' } }, 'merge-patch');
      // An object that ceases to match looks deleted, one that begins to match looks added.
      await patchMap('early', { metadata: { labels: { informed: 'no' } } }, 'merge-patch');
      await patchMap('unseen', { metadata: { labels: { informed: 'yes' } } }, 'merge-patch');
      await core.deleteNamespacedConfigMap({ namespace: NS, name: 'late' });
      await eventually('the last event', () => heard.includes('delete late'));
      await informer.stop();
      expect(heard).toEqual(['add early', 'add late', 'update late', 'delete early', 'add unseen', 'delete late']);
    });
    it('a watch from a version gives exactly what came after it', async () => {
      const { metadata } = await core.listNamespacedConfigMap({ namespace: NS });
      await create('after-1');
      await create('after-2');
      const seen: string[] = [];
      const watch = await new Watch(world().config).watch(
        `/api/v1/namespaces/${NS}/configmaps`,
        { resourceVersion: metadata?.resourceVersion },
        (phase, object: V1ConfigMap) => void seen.push(`${phase} ${object.metadata?.name}`),
        () => {},
      );
      await eventually('both events', () => seen.length >= 2);
      watch.abort();
      expect(seen).toEqual(['ADDED after-1', 'ADDED after-2']);
    });
    it('a watch ends by itself after timeoutSeconds', async () => {
      const ended = await new Promise<unknown>((resolve) => {
        void new Watch(world().config).watch(
          `/api/v1/namespaces/${NS}/configmaps`,
          { timeoutSeconds: 1 },
          () => {},
          resolve,
        );
      });
      expect(ended).toBeNull();
    });
  });
}

const settings = (
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
): V1ConfigMap => ({ metadata: { name, labels }, data });
/** What the client gave us, with some fields replaced. */
const changed = <T extends object>(object: T, fields: object): T => Object.assign(structuredClone(object), fields);
const reason = async (answer: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> => {
  const error = (await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as { code: number; body: string } | undefined;
  if (!error) throw new Error('the call was accepted');
  const { reason: why, message } = JSON.parse(error.body) as { reason: string; message: string };
  return { code: error.code, reason: why, message };
};
export const deployment = (name: string, selected = name) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: selected } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          { name: 'a', image: 'a@sha256:0' },
          { name: 'b', image: 'b@sha256:0' },
        ],
      },
    },
  },
});
