import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../harness/ports.ts';
import { secretFolder } from '../../integration/injector/injector.ts';
import { eventually } from '../../integration/kube/cluster.ts';
import { patch, startWebhooks, type WebhookServer } from './webhook-server.ts';
import { apply, call, freshName, MERGE, refusal, type Reply, type World } from './world.ts';

const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const MARK = 'suite/webhooks';

/** Admission webhooks: who is asked, what is done with the answer, and what when there is none. */
export function webhookCases(world: () => World): void {
  describe('admission webhooks', () => {
    const namespace = freshName('hooks');
    const maps = `/api/v1/namespaces/${namespace}/configmaps`;
    const folder = secretFolder();
    const identity = folder.identity();
    const caBundle = Buffer.from(identity.certificate).toString('base64');
    const made: string[] = [];
    let server: WebhookServer;

    beforeAll(async () => {
      server = await startWebhooks(identity);
      await call(world(), 'POST', '/api/v1/namespaces', {
        body: { metadata: { name: namespace, labels: { [MARK]: 'yes' } } },
      });
    });
    afterAll(async () => {
      for (const name of made) await call(world(), 'DELETE', `${HOOKS}/${name}`);
      await call(world(), 'DELETE', `/api/v1/namespaces/${namespace}`);
      await server.stop();
      folder.remove();
    });

    const at = (path: string, port = server.port) => ({ url: `https://127.0.0.1:${port}${path}`, caBundle });
    const rule = (operations: readonly string[]) => ({
      apiGroups: [''],
      apiVersions: ['v1'],
      resources: ['configmaps'],
      operations,
    });
    /** A webhook about ConfigMaps with this label in this namespace. */
    const about = (label: string, path: string, more: object = {}): object => ({
      name: `${path.slice(1)}.suite.fairway.dev`,
      clientConfig: at(path),
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      rules: [rule(['CREATE'])],
      namespaceSelector: { matchLabels: { [MARK]: 'yes' } },
      objectSelector: { matchLabels: { case: label } },
      ...more,
    });
    const configuration = (name: string, webhooks: readonly object[]) => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks,
    });
    const map = (label: string, name = freshName('map'), more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, labels: { case: label } },
      data: { a: 'given' },
      ...more,
    });
    const create = (body: object, query = '') => call(world(), 'POST', `${maps}${query}`, { body });
    /** Registers, and waits until the API has heard of it: a first webhook that only listens is asked. */
    const register = async (label: string, webhooks: readonly object[]): Promise<void> => {
      const name = freshName('suite');
      made.push(name);
      const probe = `/probe-${label}`;
      const all = [about(label, probe, { failurePolicy: 'Ignore' }), ...webhooks];
      const answer = await apply(world(), HOOKS, configuration(name, all));
      expect(answer.status, answer.text).toBe(201);
      await eventually('the configuration is heard of', async () => {
        await create(map(label), '?dryRun=All');
        return server.asked.some(({ path }) => path === probe);
      });
    };
    const dataOf = ({ status, body, text }: Reply) => {
      expect(status, text).toBeLessThan(300);
      return body['data'];
    };
    const asksOf = (path: string, name: string) =>
      server.asked.filter((one) => one.path === path && one.request.object?.metadata['name'] === name);

    it('are stored with their defaults', async () => {
      const name = freshName('suite');
      made.push(name);
      const bare = {
        name: 'bare.suite.fairway.dev',
        clientConfig: { service: { namespace, name: 'nobody' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [rule(['CREATE'])],
        objectSelector: { matchLabels: { case: 'defaults' } },
      };
      const { body } = await call(world(), 'POST', HOOKS, { body: configuration(name, [bare]) });
      expect(body['webhooks']).toEqual([
        {
          ...bare,
          clientConfig: { service: { namespace, name: 'nobody', port: 443 } },
          rules: [{ ...rule(['CREATE']), scope: '*' }],
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          reinvocationPolicy: 'Never',
          timeoutSeconds: 10,
        },
      ]);
    });
    it.each([
      ['no side effects', { sideEffects: undefined }, /webhooks\[0\]\.sideEffects: Required value/],
      ['plain HTTP', { clientConfig: { url: 'http://127.0.0.1/' } }, /clientConfig\.url: Invalid value.*https/],
      ['no door', { clientConfig: {} }, /clientConfig: Required value: exactly one of url or service is required/],
      ['no patience', { timeoutSeconds: 31 }, /timeoutSeconds: Invalid value: 31.*between 1 and 30 seconds/],
      ['a short name', { name: 'suite' }, /name: Invalid value: "suite": should be a domain with at least three/],
      ['no version', { admissionReviewVersions: undefined }, /admissionReviewVersions: Required value/],
    ])('are refused with %s', async (_, wrong, words) => {
      const body = configuration(freshName('suite'), [about('wrong', '/wrong', wrong)]);
      expect(refusal(await call(world(), 'POST', HOOKS, { body }))).toMatchObject({
        status: 422,
        reason: 'Invalid',
        message: expect.stringMatching(words),
      });
    });

    it('are asked by an AdmissionReview, and what they patch is stored', async () => {
      server.on('/patch', () => patch([{ op: 'add', path: '/data/b', value: 'patched' }]));
      await register('patch', [about('patch', '/patch', { timeoutSeconds: 7 })]);
      const name = freshName('patched');
      const reply = await create(map('patch', name));
      expect(dataOf(reply)).toEqual({ a: 'given', b: 'patched' });
      expect((await call(world(), 'GET', `${maps}/${name}`)).body['data']).toEqual({ a: 'given', b: 'patched' });
      const [asked, ...more] = asksOf('/patch', name);
      expect(more).toEqual([]);
      expect(asked).toMatchObject({
        query: '?timeout=7s',
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        request: {
          operation: 'CREATE',
          dryRun: false,
          name,
          // Kubernetes 1.20 has it here only, not in the metadata of an object whose body named none.
          namespace,
          userInfo: { username: 'admin', groups: expect.arrayContaining(['system:masters']) },
          kind: { group: '', version: 'v1', kind: 'ConfigMap' },
          resource: { group: '', version: 'v1', resource: 'configmaps' },
          object: {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name },
            data: { a: 'given' },
          },
          oldObject: null,
          options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
        },
      });
      expect(asked?.request.object?.metadata).not.toHaveProperty('resourceVersion');
    });
    it('see a dry run as one, and a generated name not yet', async () => {
      await register('dry', [about('dry', '/dry')]);
      const body = { ...map('dry'), metadata: { generateName: 'named-', labels: { case: 'dry' } } };
      const before = server.asked.length;
      expect((await create(body, '?dryRun=All')).body.metadata.name).toMatch(/^named-.+/);
      const [seen] = server.asked.slice(before).filter(({ path }) => path === '/dry');
      expect(seen?.request).toMatchObject({ dryRun: true, object: { metadata: { generateName: 'named-' } } });
      expect(seen?.request.object?.metadata).not.toHaveProperty('name');
    });
    it('are asked of a change and a removal, with what was there before', async () => {
      const stamp = () => patch([{ op: 'add', path: '/data/stamp', value: 'b' }]);
      server.on('/change', (one) => (one.request.operation === 'UPDATE' ? stamp() : { allowed: true }));
      server.on('/stay', () => ({ allowed: false, status: { message: 'it stays', code: 403 } }));
      await register('change', [
        about('change', '/change', { rules: [rule(['CREATE', 'UPDATE'])] }),
        about('change', '/stay', { rules: [rule(['DELETE'])] }),
      ]);
      const name = 'changed';
      expect(dataOf(await create(map('change', name)))).toEqual({ a: 'given' });
      const path = `${maps}/${name}`;
      const body = { data: { a: 'merged' } };
      expect(dataOf(await call(world(), 'PATCH', path, { body, type: MERGE }))).toEqual({ a: 'merged', stamp: 'b' });
      const put = map('change', name, { data: { a: 'put' } });
      expect(dataOf(await call(world(), 'PUT', path, { body: put }))).toEqual({ a: 'put', stamp: 'b' });
      const applied = map('change', name, { data: { c: 'applied' } });
      expect(dataOf(await apply(world(), maps, applied))).toEqual({ a: 'put', stamp: 'b', c: 'applied' });
      const asks = asksOf('/change', name);
      expect(asks.map(({ request }) => [request.operation, request.oldObject === null])).toEqual([
        ['CREATE', true],
        ['UPDATE', false],
        ['UPDATE', false],
        ['UPDATE', false],
      ]);
      const removal = refusal(await call(world(), 'DELETE', path));
      expect(removal).toMatchObject({ status: 403, message: expect.stringMatching(/denied the request: it stays$/) });
      expect(server.asked.at(-1)?.request).toMatchObject({ operation: 'DELETE', object: null });
    });
    it('are not asked of objects and namespaces that their selectors do not choose', async () => {
      const elsewhere = { namespaceSelector: { matchExpressions: [{ key: MARK, operator: 'DoesNotExist' }] } };
      await register('choice', [
        about('choice', '/elsewhere', elsewhere),
        about('choice', '/other', { objectSelector: { matchLabels: { case: 'other' } } }),
        about('choice', '/secrets', { rules: [{ ...rule(['CREATE']), resources: ['secrets', 'configmaps/status'] }] }),
        about('choice', '/cluster', { rules: [{ ...rule(['CREATE']), scope: 'Cluster' }] }),
      ]);
      dataOf(await create(map('choice')));
      const paths = server.asked.map(({ path }) => path);
      for (const path of ['/elsewhere', '/other', '/secrets', '/cluster']) expect(paths).not.toContain(path);
    });
    it('refuse in their own words and with their own code, and warn', async () => {
      server.on('/deny', (one) => ({
        allowed: false,
        status: one.request.object?.metadata['name'] === 'silent' ? {} : { message: 'not today', code: 409 },
      }));
      server.on('/warn', () => ({ allowed: true, warnings: ['look "here"'] }));
      await register('deny', [about('deny', '/deny')]);
      await register('warn', [about('warn', '/warn')]);
      expect(refusal(await create(map('deny')))).toMatchObject({
        status: 409,
        message: 'admission webhook "deny.suite.fairway.dev" denied the request: not today',
      });
      expect(refusal(await create(map('deny', 'silent')))).toMatchObject({
        status: 400,
        message: 'admission webhook "deny.suite.fairway.dev" denied the request without explanation',
      });
      const { status, headers } = await create(map('warn'));
      expect([status, headers['warning']]).toEqual([201, '299 - "look \\"here\\""']);
    });
    it('that cannot be asked refuse, or are left out where they say Ignore', async () => {
      const closed = await freePort();
      const other = Buffer.from(folder.identity().certificate).toString('base64');
      server.on('/late', () => undefined);
      server.on('/odd', () => ({ raw: '{"kind":"Pod"}' }));
      const ways: readonly [string, object][] = [
        ['refused', { clientConfig: at('/refused', closed) }],
        ['unknown', { clientConfig: { ...at('/unknown'), caBundle: other } }],
        ['late', { clientConfig: at('/late'), timeoutSeconds: 1 }],
        ['odd', { clientConfig: at('/odd') }],
      ];
      for (const [way, more] of ways) {
        await register(`${way}-i`, [about(`${way}-i`, `/${way}-i`, { ...more, failurePolicy: 'Ignore' })]);
        expect(dataOf(await create(map(`${way}-i`))), way).toEqual({ a: 'given' });
        await register(`${way}-f`, [about(`${way}-f`, `/${way}-f`, more)]);
        expect(refusal(await create(map(`${way}-f`))), way).toMatchObject({
          status: 500,
          reason: 'InternalError',
          message: expect.stringMatching(
            new RegExp(`^Internal error occurred: failed calling webhook "${way}-f.suite.fairway.dev"`),
          ),
        });
      }
    });
    it('with a patch that cannot be applied refuse even where they say Ignore', async () => {
      server.on('/broken', () => patch([{ op: 'remove', path: '/data/nothing' }]));
      await register('broken', [about('broken', '/broken', { failurePolicy: 'Ignore' })]);
      expect(refusal(await create(map('broken')))).toMatchObject({ status: 500, reason: 'InternalError' });
    });
    it('look once more at what a later one has changed, if they ask for it', async () => {
      const add = (key: string) => patch([{ op: 'add', path: `/data/${key}`, value: 'x' }]);
      server.on('/early', () => add('early'));
      server.on('/never', () => ({ allowed: true }));
      server.on('/later', () => add('later'));
      await register('again', [
        about('again', '/early', { reinvocationPolicy: 'IfNeeded' }),
        about('again', '/never'),
        about('again', '/later', { reinvocationPolicy: 'IfNeeded' }),
      ]);
      expect(dataOf(await create(map('again', 'twice')))).toEqual({ a: 'given', early: 'x', later: 'x' });
      const counts = ['/early', '/never', '/later'].map((path) => asksOf(path, 'twice').length);
      expect(counts).toEqual([2, 1, 1]);
    });
    it('of a Service that is not there cannot be asked', async () => {
      const clientConfig = { service: { namespace, name: 'nobody' }, caBundle };
      await register('service', [about('service', '/service', { clientConfig })]);
      expect(refusal(await create(map('service')))).toMatchObject({
        status: 500,
        message: expect.stringMatching(/failed calling webhook "service.suite.fairway.dev".*nobody/),
      });
    });
  });
}
