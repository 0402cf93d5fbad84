import { beforeAll, describe, expect, it } from 'vitest';
import { ARGO_CD } from '../../harness/kube-definitions.ts';
import { deployment } from './objects.ts';
import { apply, call, define, MERGE, refusal, type World } from './world.ts';

/** Server-side apply: who owns what, and what happens when two want the same. */
export function applyCases(world: () => World): void {
  let maps: string;
  let deployments: string;
  let applications: string;
  beforeAll(async () => {
    const { namespace } = world();
    maps = `/api/v1/namespaces/${namespace}/configmaps`;
    deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    applications = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;
    await define(world(), ARGO_CD);
  });
  const map = (name: string, data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data,
  });
  const by = (manager: string, more = '') => `fieldManager=${manager}${more}`;
  const applyMap = (name: string, data: Record<string, string>, query?: string) =>
    apply(world(), maps, map(name, data), query);

  describe('server-side apply', () => {
    it('creates, changes, and changes nothing when nothing is new', async () => {
      const first = await applyMap('ssa', { a: '1' });
      expect(first.status).toBe(201);
      const second = await applyMap('ssa', { a: '2' });
      expect(second).toMatchObject({ status: 200, body: { data: { a: '2' } } });
      const third = await applyMap('ssa', { a: '2' });
      expect(third.body.metadata.resourceVersion).toBe(second.body.metadata.resourceVersion);
      expect(third.body.metadata['managedFields']).toMatchObject([
        { manager: 'suite', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1' },
      ]);
    });
    it('removes what its manager no longer says, and leaves what others have', async () => {
      await applyMap('shared', { mine: '1', gone: '1' }, by('one'));
      await applyMap('shared', { theirs: '1' }, by('two'));
      const { body } = await applyMap('shared', { mine: '2' }, by('one'));
      expect(body['data']).toEqual({ mine: '2', theirs: '1' });
    });
    it('keeps what two managers said until both have let it go', async () => {
      await applyMap('both', { a: '1', x: '1' }, by('one'));
      await applyMap('both', { a: '1', y: '1' }, by('two'));
      expect((await applyMap('both', { x: '1' }, by('one'))).body['data']).toEqual({ a: '1', x: '1', y: '1' });
      expect((await applyMap('both', { y: '1' }, by('two'))).body['data']).toEqual({ x: '1', y: '1' });
    });
    it('refuses to take a field of another manager, names it, and takes it by force', async () => {
      await applyMap('wanted', { a: '1', b: '1' }, by('one'));
      const refused = refusal(await applyMap('wanted', { a: '2' }, by('two')));
      expect(refused).toEqual({
        status: 409,
        kind: 'Status',
        apiVersion: 'v1',
        code: 409,
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
        details: {
          causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }],
        },
      });
      expect((await applyMap('wanted', { a: '2' }, by('two', '&force=true'))).body['data']).toEqual({ a: '2', b: '1' });
      expect(refusal(await applyMap('wanted', { a: '1', b: '1' }, by('one')))).toMatchObject({
        status: 409,
        message: /conflict with "two"/,
      });
    });
    it('conflicts with who has changed a field by a patch since', async () => {
      await applyMap('patched', { a: '1' }, by('one'));
      await call(world(), 'PATCH', `${maps}/patched?fieldManager=hand`, { body: { data: { a: '9' } }, type: MERGE });
      expect(refusal(await applyMap('patched', { a: '1' }, by('one')))).toMatchObject({
        status: 409,
        reason: 'Conflict',
        message: /conflict with "hand" using v1.*\.data\.a/s,
      });
    });
    it('merges lists by key: containers by name, and their order is kept', async () => {
      const one = deployment('keyed');
      await apply(world(), deployments, one, by('one'));
      const [a] = one.spec.template.spec.containers;
      const two = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'keyed' },
        spec: { template: { spec: { containers: [{ name: 'c', image: 'c@sha256:0' }] } } },
      };
      const images = async () => {
        const { body } = await call(world(), 'GET', `${deployments}/keyed`);
        const { template } = body['spec'] as typeof one.spec;
        return template.spec.containers.map(({ name }) => name).sort();
      };
      expect((await apply(world(), deployments, two, by('two'))).status).toBe(200);
      expect(await images()).toEqual(['a', 'b', 'c']);
      one.spec.template.spec.containers = a === undefined ? [] : [a];
      expect((await apply(world(), deployments, one, by('one'))).status).toBe(200);
      expect(await images()).toEqual(['a', 'c']);
    });
    it('works for custom kinds: maps merge, lists are replaced', async () => {
      const application = (spec: object) => ({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'ssa' },
        spec,
      });
      const project = { project: 'default', destination: { namespace: 'x', server: 'y' } };
      await apply(
        world(),
        applications,
        application({ ...project, sources: [{ path: 'a' }, { path: 'b' }] }),
        by('one'),
      );
      const later = await apply(
        world(),
        applications,
        application({ ...project, sources: [{ path: 'c' }] }),
        by('one'),
      );
      expect(later.body['spec']).toEqual({ ...project, sources: [{ path: 'c' }] });
      const other = await apply(world(), applications, application({ info: [{ name: 'n', value: 'v' }] }), by('two'));
      expect(other).toMatchObject({ status: 200, body: { spec: { ...project, info: [{ name: 'n', value: 'v' }] } } });
    });
    it('is refused without a manager, with a stale version, and with owners of its own', async () => {
      expect(refusal(await apply(world(), maps, map('nobody', {}), ''))).toMatchObject({
        status: 422,
        reason: 'Invalid',
        message: /fieldManager: Required value/,
        details: { causes: [{ field: 'fieldManager' }] },
      });
      const { body } = await applyMap('stale', { a: '1' });
      await applyMap('stale', { a: '2' });
      const { resourceVersion } = body.metadata;
      const stale = { ...map('stale', { a: '3' }), metadata: { name: 'stale', resourceVersion } };
      expect(refusal(await apply(world(), maps, stale))).toMatchObject({ status: 409, reason: 'Conflict' });
      const owning = {
        ...map('stale', {}),
        metadata: { name: 'stale', managedFields: body.metadata['managedFields'] },
      };
      expect(refusal(await apply(world(), maps, owning))).toMatchObject({ status: 400, reason: 'BadRequest' });
    });
    it('as a dry run changes nothing', async () => {
      await applyMap('dry-apply', { a: '1' });
      const { body } = await applyMap('dry-apply', { a: '2' }, by('suite', '&dryRun=All'));
      expect(body['data']).toEqual({ a: '2' });
      expect((await call(world(), 'GET', `${maps}/dry-apply`)).body['data']).toEqual({ a: '1' });
    });
  });
}
