import { Watch } from '@kubernetes/client-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { ARGO_CD } from '../../harness/kube-definitions.ts';
import { eventually } from '../../integration/kube/cluster.ts';
import { call, define, MERGE, refusal, type World } from './world.ts';

type List = { metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }; items: Item[] };
type Item = { kind?: string; metadata: { name: string }; data?: unknown; spec?: unknown };
type Event = {
  type: string;
  object: { kind?: string; code?: number; reason?: string; metadata: { name?: string; resourceVersion?: string } };
};

/** Pages, bookmarks, expired versions, and lists of metadata alone. */
export function collectionCases(world: () => World): void {
  let applications: string;
  let secrets: string;
  beforeAll(async () => {
    applications = `/apis/argoproj.io/v1alpha1/namespaces/${world().namespace}/applications`;
    secrets = `/api/v1/namespaces/${world().namespace}/secrets`;
    await define(world(), ARGO_CD);
  });
  const create = (name: string, labels = {}) =>
    call(world(), 'POST', applications, {
      body: {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name, labels },
        spec: { project: 'p' },
      },
    });
  const list = async (query: string) =>
    (await call(world(), 'GET', `${applications}?${query}`)).body as unknown as List;
  const names = ({ items }: List) => items.map(({ metadata }) => metadata.name);
  /** Watches until `enough` events are there. */
  async function watched(query: Record<string, string>, enough: (events: Event[]) => boolean, during = async () => {}) {
    const events: Event[] = [];
    const ended = { yes: false };
    const watch = await new Watch(world().config).watch(
      applications,
      query,
      (type, object: Event['object']) => void events.push({ type, object }),
      () => (ended.yes = true),
    );
    await during();
    await eventually('the events', () => enough(events) || ended.yes);
    watch.abort();
    return events;
  }

  describe('collections', () => {
    it('come in pages of one version, and a watch from it tells what changed meanwhile', async () => {
      for (const name of ['page-a', 'page-b', 'page-c']) await create(name, { paged: 'yes' });
      const whole = await list('labelSelector=paged%3Dyes');
      expect(names(whole)).toEqual(['page-a', 'page-b', 'page-c']);
      const first = await list('limit=2&labelSelector=paged%3Dyes');
      expect(names(first)).toEqual(['page-a', 'page-b']);
      await create('page-d', { paged: 'yes' });
      const next = await list(
        `limit=2&labelSelector=paged%3Dyes&continue=${encodeURIComponent(first.metadata.continue ?? '')}`,
      );
      expect(names(next)[0]).toBe('page-c');
      expect(next.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      expect(next.metadata.continue ?? '').toBe('');
      const version = next.metadata.resourceVersion;
      const events = await watched({ resourceVersion: version }, (all) => all.length > 0);
      expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([['ADDED', 'page-d']]);
    });
    it('say how many are left', async () => {
      const { metadata, items } = await list('limit=1');
      expect(metadata.remainingItemCount).toBe((await list('')).items.length - items.length);
    });
    it('refuse a continuation that is none', async () => {
      expect(refusal(await call(world(), 'GET', `${applications}?limit=1&continue=nonsense`))).toMatchObject({
        status: 400,
        reason: 'BadRequest',
      });
    });
    it('refuse selectors that cannot be read, and fields that cannot be selected', async () => {
      for (const query of ['labelSelector=a%20b%20c', 'fieldSelector=spec.project%3Dp', 'fieldSelector=nonsense'])
        expect(refusal(await call(world(), 'GET', `${applications}?${query}`)), query).toMatchObject({
          status: 400,
          kind: 'Status',
          reason: 'BadRequest',
        });
    });
    it('give metadata alone when that is what is asked for', async () => {
      const body = { metadata: { name: 'hidden' }, stringData: { password: 'not to be told' } };
      await call(world(), 'POST', secrets, { body });
      const accept = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
      const one = await call(world(), 'GET', `${secrets}/hidden`, { accept: accept('PartialObjectMetadata') });
      expect(one.body).toMatchObject({
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'hidden' },
      });
      const all = await call(world(), 'GET', secrets, { accept: accept('PartialObjectMetadataList') });
      expect(all.body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
      expect((all.body as unknown as List).items.map(({ metadata }) => metadata.name)).toContain('hidden');
      for (const { text, body: told } of [one, all]) {
        expect(told['data'] ?? '').toBe('');
        expect(text).not.toContain(Buffer.from('not to be told').toString('base64'));
      }
      const gone = await call(world(), 'GET', `${secrets}/nobody`, { accept: accept('PartialObjectMetadata') });
      expect(refusal(gone)).toMatchObject({ status: 404, kind: 'Status', reason: 'NotFound' });
    });
  });

  describe('watches', () => {
    it('without a version begin with everything that is there', async () => {
      await create('there-1', { there: 'yes' });
      await create('there-2', { there: 'yes' });
      const events = await watched({ labelSelector: 'there=yes' }, (all) => all.length >= 2);
      expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`).sort()).toEqual([
        'ADDED there-1',
        'ADDED there-2',
      ]);
    });
    it('tell a deletion with the last state, at a version of its own', async () => {
      const { body } = await create('leaving', { leaves: 'yes' });
      const { resourceVersion } = body.metadata;
      const [event] = await watched(
        { resourceVersion },
        (all) => all.length > 0,
        async () => {
          await call(world(), 'DELETE', `${applications}/leaving`);
        },
      );
      expect(event).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'leaving' } } });
      expect(Number(event?.object.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
    });
    it('of one name see no other', async () => {
      const { body } = await create('only');
      const query = { resourceVersion: body.metadata.resourceVersion, fieldSelector: 'metadata.name=only' };
      const [event] = await watched(
        query,
        (all) => all.length > 0,
        async () => {
          await create('another');
          await call(world(), 'PATCH', `${applications}/only`, {
            body: { metadata: { labels: { a: 'b' } } },
            type: MERGE,
          });
        },
      );
      expect(event).toMatchObject({ type: 'MODIFIED', object: { metadata: { name: 'only' } } });
    });
    it('send a bookmark with a version to go on from', async () => {
      const { metadata } = await list('');
      // Bookmarks come now and then, and in the last seconds of a watch that ends by itself.
      const query = { resourceVersion: metadata.resourceVersion, allowWatchBookmarks: 'true', timeoutSeconds: '10' };
      const events = await watched(
        query,
        (all) => all.some(({ type }) => type === 'BOOKMARK'),
        () => create('marked').then(() => {}),
      );
      const bookmark = events.find(({ type }) => type === 'BOOKMARK');
      expect(bookmark?.object).toMatchObject({ kind: 'Application' });
      const again = await watched(
        { resourceVersion: bookmark?.object.metadata.resourceVersion ?? '' },
        (all) => all.length > 0,
        () => create('after-the-mark').then(() => {}),
      );
      expect(again.map(({ object }) => object.metadata.name)).toEqual(['after-the-mark']);
    }, 120_000);
    it('from a version that is too old end with 410 Gone; a new list and a watch from there go on', async () => {
      const version = await world().tooOld(applications);
      const events = await watched({ resourceVersion: version }, (all) => all.length > 0);
      expect(events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
      const { metadata } = await list('');
      const later = await watched(
        { resourceVersion: metadata.resourceVersion },
        (all) => all.length > 0,
        () => create('afterwards').then(() => {}),
      );
      expect(later).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'afterwards' } } }]);
    });
  });
}
