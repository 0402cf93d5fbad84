import { beforeAll, describe, expect, it } from 'vitest';
import { call, MERGE, refusal, type World } from './world.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const REVIEWS = '/apis/authorization.k8s.io/v1';

/** Tokens, RBAC, and what the server says about rights. */
export function rightsCases(world: () => World): void {
  let token: string;
  let user: string;
  let maps: string;
  const as = (method: string, path: string, body?: unknown, type?: string) =>
    call(world(), method, path, {
      token,
      ...(body === undefined ? {} : { body }),
      ...(type === undefined ? {} : { type }),
    });
  const mayI = async (attributes: object, by = token) => {
    const body = { spec: { resourceAttributes: attributes } };
    const answer = await call(world(), 'POST', `${REVIEWS}/selfsubjectaccessreviews`, { body, token: by });
    expect(answer.status).toBe(201);
    return (answer.body['status'] as { allowed: boolean }).allowed;
  };

  beforeAll(async () => {
    const { namespace } = world();
    const inside = `/api/v1/namespaces/${namespace}`;
    maps = `${inside}/configmaps`;
    user = `system:serviceaccount:${namespace}:reader`;
    await call(world(), 'POST', `${inside}/serviceaccounts`, { body: { metadata: { name: 'reader' } } });
    await call(world(), 'POST', maps, { body: { metadata: { name: 'readable' } } });
    const answer = await call(world(), 'POST', `${inside}/serviceaccounts/reader/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
    });
    expect(answer).toMatchObject({ status: 201, body: { kind: 'TokenRequest' } });
    token = (answer.body['status'] as { token: string }).token;
  });

  describe('tokens', () => {
    it.each(['', 'wrong', 'e30.e30.e30'])('that are none (%j) are refused with 401', async (wrong) => {
      expect(refusal(await call(world(), 'GET', maps, { token: wrong }))).toEqual({
        status: 401,
        kind: 'Status',
        apiVersion: 'v1',
        reason: 'Unauthorized',
        code: 401,
        message: 'Unauthorized',
        details: undefined,
      });
    });
    it('for a few seconds are not given', async () => {
      const path = `/api/v1/namespaces/${world().namespace}/serviceaccounts/reader/token`;
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 10 } };
      expect(refusal(await call(world(), 'POST', path, { body }))).toMatchObject({ status: 422, reason: 'Invalid' });
    });
  });

  describe('a service account', () => {
    it('may look around without rights of its own', async () => {
      expect((await as('GET', '/version')).status).toBe(200);
      expect((await as('GET', '/apis')).status).toBe(200);
      expect((await as('GET', '/apis/apps/v1')).status).toBe(200);
    });
    it.each([
      ['GET', '', undefined, 'cannot list resource "configmaps"', ''],
      ['GET', '?watch=true', undefined, 'cannot watch resource "configmaps"', ''],
      ['GET', '/readable', undefined, 'cannot get resource "configmaps"', ' "readable"'],
      ['POST', '', { metadata: { name: 'x' } }, 'cannot create resource "configmaps"', ''],
      ['PATCH', '/readable', {}, 'cannot patch resource "configmaps"', ' "readable"'],
      ['PUT', '/readable', { metadata: { name: 'readable' } }, 'cannot update resource "configmaps"', ' "readable"'],
      ['DELETE', '/readable', undefined, 'cannot delete resource "configmaps"', ' "readable"'],
      ['DELETE', '', undefined, 'cannot deletecollection resource "configmaps"', ''],
    ])('is refused %s configmaps%s in a sentence', async (method, path, body, told, named) => {
      const refused = refusal(await as(method, maps + path, body, method === 'PATCH' ? MERGE : undefined));
      const where = `in API group "" in the namespace "${world().namespace}"`;
      expect(refused).toMatchObject({
        status: 403,
        kind: 'Status',
        code: 403,
        reason: 'Forbidden',
        message: `configmaps${named} is forbidden: User "${user}" ${told} ${where}`,
      });
    });
    it('is refused in the cluster as a whole, and for a subresource', async () => {
      expect(refusal(await as('GET', '/api/v1/configmaps')).message).toBe(
        `configmaps is forbidden: User "${user}" cannot list resource "configmaps" in API group "" at the cluster scope`,
      );
      const status = `/apis/apps/v1/namespaces/${world().namespace}/deployments/x/status`;
      expect(refusal(await as('GET', status)).message).toBe(
        `deployments.apps "x" is forbidden: User "${user}" cannot get resource "deployments/status" in API group "apps" in the namespace "${world().namespace}"`,
      );
    });
    it('may what a Role gives it, there and nowhere else, until the binding goes', async () => {
      const { namespace } = world();
      const roles = `${RBAC}/namespaces/${namespace}`;
      const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] };
      await call(world(), 'POST', `${roles}/roles`, { body: { metadata: { name: 'reader' }, rules: [rule] } });
      const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
      await call(world(), 'POST', `${roles}/rolebindings`, {
        body: { metadata: { name: 'reader' }, subjects, roleRef },
      });
      await expect.poll(async () => (await as('GET', maps)).status).toBe(200);
      expect((await as('GET', `${maps}/readable`)).status).toBe(200);
      expect((await as('DELETE', `${maps}/readable`)).status).toBe(403);
      expect((await as('GET', '/api/v1/namespaces/default/configmaps')).status).toBe(403);
      expect(await mayI({ verb: 'list', resource: 'configmaps', namespace })).toBe(true);
      expect(await mayI({ verb: 'watch', resource: 'configmaps', namespace })).toBe(false);
      expect(await mayI({ verb: 'list', resource: 'configmaps', namespace: 'default' })).toBe(false);
      expect(await mayI({ verb: 'list', resource: 'configmaps' })).toBe(false);
      await call(world(), 'DELETE', `${roles}/rolebindings/reader`);
      await expect.poll(async () => (await as('GET', maps)).status).toBe(403);
    });
    it('may what a ClusterRole gives it: everywhere by a ClusterRoleBinding, and only for the names it says', async () => {
      const { namespace } = world();
      const name = `${namespace}-named`;
      const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'], resourceNames: ['this'] }];
      await call(world(), 'POST', `${RBAC}/clusterroles`, { body: { metadata: { name }, rules } });
      const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
      await call(world(), 'POST', `${RBAC}/clusterrolebindings`, { body: { metadata: { name }, subjects, roleRef } });
      const at = { group: 'apps', resource: 'deployments', verb: 'get', namespace: 'default' };
      await expect.poll(() => mayI({ ...at, name: 'this' })).toBe(true);
      expect(await mayI({ ...at, name: 'that' })).toBe(false);
      expect(await mayI(at)).toBe(false);
      expect((await as('GET', '/apis/apps/v1/namespaces/default/deployments/this')).status).toBe(404);
      for (const kind of ['clusterrolebindings', 'clusterroles'])
        await call(world(), 'DELETE', `${RBAC}/${kind}/${name}`);
    });
  });

  describe('reviews', () => {
    it('say what somebody else may, to who may ask that', async () => {
      const body = {
        spec: { user, resourceAttributes: { verb: 'get', resource: 'secrets', namespace: world().namespace } },
      };
      const asked = await call(world(), 'POST', `${REVIEWS}/subjectaccessreviews`, { body });
      expect(asked).toMatchObject({ status: 201, body: { kind: 'SubjectAccessReview', status: { allowed: false } } });
      expect(refusal(await as('POST', `${REVIEWS}/subjectaccessreviews`, body))).toMatchObject({
        status: 403,
        message: `subjectaccessreviews.authorization.k8s.io is forbidden: User "${user}" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope`,
      });
    });
    it('list the rules of who asks', async () => {
      const body = { spec: { namespace: world().namespace } };
      const { status, body: review } = await as('POST', `${REVIEWS}/selfsubjectrulesreviews`, body);
      expect(status).toBe(201);
      const { resourceRules } = review['status'] as { resourceRules: { verbs: string[]; resources: string[] }[] };
      expect(
        resourceRules.flatMap(({ verbs, resources }) =>
          verbs.flatMap((verb) => resources.map((one) => `${verb} ${one}`)),
        ),
      ).toContain('create selfsubjectaccessreviews');
    });
    it('give the administrator everything', async () => {
      const admin = world().config.getCurrentUser()?.token ?? '';
      expect(await mayI({ verb: 'anything', group: 'example.com', resource: 'things' }, admin)).toBe(true);
    });
  });
}
