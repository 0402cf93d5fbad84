import { beforeAll, describe, expect, it } from 'vitest';
import { ARGO_CD, OPENSHIFT, PROMETHEUS_OPERATOR } from '../../harness/kube-definitions.ts';
import { deployment } from './objects.ts';
import { call, define, MERGE, refusal, type World } from './world.ts';

/** Leases, deletion, status, custom kinds and discovery. */
export function lifecycleCases(world: () => World): void {
  let core: string;
  const named = (name: string, more: object = {}) => ({ metadata: { name, ...more } });
  beforeAll(() => {
    core = `/api/v1/namespaces/${world().namespace}`;
  });

  describe('leases', () => {
    const leases = () => `/apis/coordination.k8s.io/v1/namespaces/${world().namespace}/leases`;
    it('are taken by one of two who saw the same version; the other gets 409', async () => {
      const made = await call(world(), 'POST', leases(), {
        body: { ...named('leader'), spec: { holderIdentity: 'nobody' } },
      });
      expect(made.status).toBe(201);
      const take = (holderIdentity: string) =>
        call(world(), 'PUT', `${leases()}/leader`, {
          body: { ...made.body, spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 1 } },
        });
      const answers = await Promise.all([take('one'), take('two')]);
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
      expect(refusal(answers.find(({ status }) => status === 409) as never)).toMatchObject({
        kind: 'Status',
        reason: 'Conflict',
        code: 409,
        message: /Operation cannot be fulfilled on leases.coordination.k8s.io "leader": the object has been modified/,
        details: { name: 'leader', group: 'coordination.k8s.io', kind: 'leases' },
      });
      const { body } = await call(world(), 'GET', `${leases()}/leader`);
      const winner = answers.find(({ status }) => status === 200);
      expect(body['spec']).toEqual(winner?.body['spec']);
    });
    it('are made by one of two', async () => {
      const make = () =>
        call(world(), 'POST', leases(), { body: { ...named('first'), spec: { holderIdentity: 'me' } } });
      const answers = await Promise.all([make(), make()]);
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409]);
    });
  });

  describe('deletion', () => {
    const make = (name: string) => call(world(), 'POST', `${core}/configmaps`, { body: named(name) });
    it('answers with a Status that names what is gone', async () => {
      const { body } = await make('plain');
      expect((await call(world(), 'DELETE', `${core}/configmaps/plain`)).body).toMatchObject({
        kind: 'Status',
        status: 'Success',
        details: { name: 'plain', kind: 'configmaps', uid: body.metadata['uid'] },
      });
    });
    it.each([
      ['Foreground', 'foregroundDeletion'],
      ['Orphan', 'orphan'],
    ])('with %s holds the object until what depends on it is dealt with', async (propagationPolicy, finalizer) => {
      const name = propagationPolicy.toLowerCase();
      await make(name);
      const { body } = await call(world(), 'DELETE', `${core}/configmaps/${name}`, { body: { propagationPolicy } });
      expect(body).toMatchObject({
        kind: 'ConfigMap',
        metadata: { name, finalizers: [finalizer], deletionTimestamp: expect.any(String) },
      });
    });
    it('with a precondition that does not hold is refused', async () => {
      const { body } = await make('guarded');
      for (const preconditions of [{ uid: '00000000-0000-0000-0000-000000000000' }, { resourceVersion: '1' }])
        expect(
          refusal(await call(world(), 'DELETE', `${core}/configmaps/guarded`, { body: { preconditions } })),
        ).toMatchObject({ status: 409, reason: 'Conflict' });
      const { uid, resourceVersion } = body.metadata;
      const last = await call(world(), 'DELETE', `${core}/configmaps/guarded`, {
        body: { preconditions: { uid, resourceVersion } },
      });
      expect(last.status).toBe(200);
    });
    it('of a collection takes what the selector says', async () => {
      for (const [name, sweep] of [
        ['dust-1', 'yes'],
        ['dust-2', 'yes'],
        ['keep-1', 'no'],
      ] as const)
        await call(world(), 'POST', `${core}/configmaps`, { body: named(name, { labels: { sweep } }) });
      expect((await call(world(), 'DELETE', `${core}/configmaps?labelSelector=sweep%3Dyes`)).status).toBe(200);
      const { body } = await call(world(), 'GET', `${core}/configmaps?labelSelector=sweep`);
      const items = body['items'] as { metadata: { name: string } }[];
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['keep-1']);
    });
  });

  describe('the status', () => {
    it('is written by its own path alone, and the rest is not written by it', async () => {
      const path = `/apis/apps/v1/namespaces/${world().namespace}/deployments`;
      const made = await call(world(), 'POST', path, { body: { ...deployment('reported'), status: { replicas: 9 } } });
      expect((made.body['status'] as { replicas?: number } | undefined)?.replicas).toBeUndefined();
      const body = {
        metadata: { labels: { a: 'b' } },
        spec: { replicas: 7 },
        status: { observedGeneration: 1, replicas: 3 },
      };
      const written = await call(world(), 'PATCH', `${path}/reported/status`, { body, type: MERGE });
      expect(written).toMatchObject({ status: 200, body: { spec: { replicas: 0 }, status: { replicas: 3 } } });
      expect(written.body.metadata.generation).toBe(1);
    });
    it('of a kind without that path is 404 there, and an ordinary field', async () => {
      await define(world(), ARGO_CD);
      const path = `/apis/argoproj.io/v1alpha1/namespaces/${world().namespace}/applications`;
      const body = {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        ...named('plain-status'),
        spec: {},
        status: { a: 1 },
      };
      const made = await call(world(), 'POST', path, { body });
      expect(made.body['status']).toEqual({ a: 1 });
      const patched = await call(world(), 'PATCH', `${path}/plain-status`, { body: { status: { a: 2 } }, type: MERGE });
      expect(patched.body).toMatchObject({ status: { a: 2 }, metadata: { generation: 2 } });
      expect((await call(world(), 'GET', `${path}/plain-status/status`)).status).toBe(404);
    });
  });

  describe('custom kinds', () => {
    it.each([...OPENSHIFT, ...PROMETHEUS_OPERATOR, ...ARGO_CD])('$kind can be served', async (kind) => {
      await define(world(), [kind]);
      const { group, version, plural } = kind;
      const groups = (await call(world(), 'GET', '/apis')).body['groups'] as { name: string }[];
      expect(groups.map(({ name }) => name)).toContain(group);
      const { body } = await call(world(), 'GET', `/apis/${group}/${version}`);
      const resources = body['resources'] as {
        name: string;
        kind: string;
        namespaced: boolean;
        shortNames?: string[];
      }[];
      expect(resources.find(({ name }) => name === plural)).toMatchObject({ kind: kind.kind, namespaced: true });
      expect(resources.some(({ name }) => name === `${plural}/status`)).toBe(kind.status ?? false);
      const collection = `/apis/${group}/${version}/namespaces/${world().namespace}/${plural}`;
      const object = {
        apiVersion: `${group}/${version}`,
        kind: kind.kind,
        ...named('one'),
        spec: { any: [1, { thing: true }] },
      };
      expect(await call(world(), 'POST', collection, { body: object })).toMatchObject({ status: 201, body: object });
      expect((await call(world(), 'GET', collection)).body).toMatchObject({
        kind: `${kind.kind}List`,
        items: expect.arrayContaining([expect.objectContaining({ spec: object.spec })]),
      });
      const patch = { body: [], type: 'application/strategic-merge-patch+json' };
      expect(refusal(await call(world(), 'PATCH', `${collection}/one`, patch))).toMatchObject({ status: 415 });
      expect((await call(world(), 'DELETE', `${collection}/one`)).status).toBe(200);
    });
    it('that nobody has defined are 404', async () => {
      for (const path of [
        '/apis/nobody.example.com/v1',
        '/apis/nobody.example.com/v1/things',
        '/apis/nobody.example.com/v1/namespaces/x/things/y',
      ])
        expect((await call(world(), 'GET', path)).status, path).toBe(404);
    });
  });

  describe('the server', () => {
    it('says its version and its time', async () => {
      const { body, headers } = await call(world(), 'GET', '/version');
      expect(body).toMatchObject({
        major: '1',
        minor: expect.stringMatching(/^\d+\+?$/),
        gitVersion: expect.stringMatching(/^v1\./),
      });
      expect(Number.isNaN(Date.parse(String(headers['date'])))).toBe(false);
    });
    it('refuses a method, a body and a type that it does not know as a Status', async () => {
      const cases = [
        ['PUT', `${core}/configmaps`, {}, 405, 'MethodNotAllowed'],
        ['POST', `${core}/configmaps`, { body: '{"metadata":' }, 400, 'BadRequest'],
        ['POST', `${core}/configmaps`, { body: 'x', type: 'text/plain' }, 415, 'UnsupportedMediaType'],
        ['PATCH', `${core}/configmaps/kube-root`, { body: '{}', type: 'text/plain' }, 415, 'UnsupportedMediaType'],
        ['GET', `${core}/things`, {}, 404, 'NotFound'],
      ] as const;
      for (const [method, path, request, status, reason] of cases)
        expect(refusal(await call(world(), method, path, request)), `${method} ${path}`).toMatchObject({
          status,
          kind: 'Status',
          reason,
        });
    });
  });
}
