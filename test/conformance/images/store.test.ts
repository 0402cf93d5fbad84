import { createHash, randomBytes } from 'node:crypto';
import type { ImageStore } from '@fairway/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../../harness/registry/images.ts';
import { TARGETS, type Target } from './targets.ts';

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const TYPES = ['application/x.one', 'application/x.two'] as const;
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Bytes as a stream in odd pieces. */
async function* dribble(bytes: Buffer, step = 9_973): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
}

async function putImage(store: ImageStore, name: string, more: object = {}, tag?: string) {
  const config = await store.add(name, { bytes: Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}') });
  const body = { schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: CONFIG, ...config }, layers: [], ...more };
  const bytes = Buffer.from(JSON.stringify(body));
  return { bytes, ...(await store.putManifest(name, { mediaType: MANIFEST, bytes }, tag)) };
}

for (const kind of TARGETS) {
  describe.skipIf(kind.missing !== undefined)(`${kind.name}${kind.missing ? `: ${kind.missing}` : ''}`, () => {
    let target: Target;
    let store: ImageStore;
    let name: string;
    beforeAll(async () => {
      target = await kind.start();
      store = target.store;
      name = `${target.host}/models/home-equity`;
    });
    afterAll(() => target.stop());

    it.each([0, 1, 65_535, 65_536, 65_537, 300_001])(
      'keeps %d bytes whose digest is known at their end',
      async (size) => {
        const bytes = randomBytes(size);
        const stored = { digest: digestOf(bytes), size };
        expect(await store.add(name, { open: () => dribble(bytes) })).toEqual(stored);
        expect(await store.has(name, stored.digest)).toBe(true);
        expect((await bytesOf(store, name, stored.digest)).equals(bytes)).toBe(true);
      },
    );

    it('keeps bytes at hand, and does not ask for those that are there', async () => {
      const bytes = randomBytes(1_000);
      const stored = await store.add(name, { bytes });
      expect(stored).toEqual({ digest: digestOf(bytes), size: 1_000 });
      expect(await store.add(name, { bytes })).toEqual(stored);
      const open = () => expect.fail('it is there already');
      expect(await store.add(name, { open, digest: stored.digest })).toEqual(stored);
    });

    it('refuses bytes that are not what was promised, and keeps none of them', async () => {
      const bytes = randomBytes(200_000);
      const promised = digestOf(randomBytes(8));
      await expect(store.add(name, { open: () => dribble(bytes), digest: promised })).rejects.toThrow(
        'damaged on their way',
      );
      expect([await store.has(name, promised), await store.has(name, digestOf(bytes))]).toEqual([false, false]);
    });

    it('keeps nothing of a source that fails', async () => {
      const bytes = randomBytes(200_000);
      async function* failing() {
        yield* dribble(bytes);
        throw new Error('the disk is gone');
      }
      await expect(store.add(name, { open: failing })).rejects.toThrow('the disk is gone');
      expect(await store.has(name, digestOf(bytes))).toBe(false);
    });

    it('has no blob that nobody gave it', async () => {
      const digest = digestOf(randomBytes(8));
      expect(await store.has(name, digest)).toBe(false);
      await expect(bytesOf(store, name, digest)).rejects.toThrow(/no blob sha256:/);
      expect(await store.mount(digest, { from: `${target.host}/base`, to: name })).toBe(false);
    });

    it('mounts a blob from another name, or says that it cannot', async () => {
      const bytes = randomBytes(1_000);
      const { digest } = await store.add(`${target.host}/base`, { bytes });
      expect(await store.mount(digest, { from: `${target.host}/base`, to: name })).toBe(target.mounts);
      expect(await store.has(name, digest)).toBe(target.mounts);
    });

    it('gives a manifest back by digest and by the tag that points to it last', async () => {
      const first = await putImage(store, name, { annotations: { n: '1' } }, '1.0');
      const second = await putImage(store, name, { annotations: { n: '2' } }, '1.0');
      const asked = [first.digest, second.digest, '1.0'].map(async (reference) => store.manifest(name, reference));
      expect((await Promise.all(asked)).map((one) => one?.digest)).toEqual([
        first.digest,
        second.digest,
        second.digest,
      ]);
      const found = await store.manifest(name, '1.0');
      expect([found?.mediaType, found?.bytes.equals(second.bytes)]).toEqual([MANIFEST, true]);
      expect(await store.manifest(name, 'never')).toBeUndefined();
      expect(await store.manifest(name, digestOf(randomBytes(4)))).toBeUndefined();
    });

    it('takes no manifest that names what is not there', async () => {
      const layers = [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(randomBytes(8)), size: 8 },
      ];
      await expect(putImage(store, name, { layers }, 'broken')).rejects.toMatchObject({ code: 'image.failed' });
      expect(await store.manifest(name, 'broken')).toBeUndefined();
    });

    it('lists what is about a manifest, each once, and no tag for it', async () => {
      const { digest, size } = await putImage(store, name, { annotations: { subject: 'yes' } });
      expect(await store.referrers(name, digest)).toEqual([]);
      const subject = { mediaType: MANIFEST, digest, size };
      const about = (artifactType: string) =>
        putImage(store, name, { artifactType, subject, annotations: { of: artifactType } });
      const both = await Promise.all(TYPES.map(about));
      await about(TYPES[0]);
      const listed = await store.referrers(name, digest);
      expect(listed.map((one) => `${one.digest} ${one.artifactType} ${one.annotations?.['of']}`).sort()).toEqual(
        both.map((one, n) => `${one.digest} ${[TYPES[n], TYPES[n]].join(' ')}`).sort(),
      );
      expect(listed[0]).toMatchObject({ mediaType: MANIFEST, size: both[0]?.size });
    });

    it('keeps what is written together, and finds it meanwhile', async () => {
      const bytes = randomBytes(1_000);
      const config = { mediaType: CONFIG, digest: digestOf(bytes), size: bytes.length };
      const put = await store.together(async (all) => {
        await all.add(name, { bytes });
        const open = () => expect.fail('it was written a moment ago');
        expect(await all.add(name, { open, digest: config.digest })).toEqual({ digest: config.digest, size: 1_000 });
        expect((await bytesOf(all, name, config.digest)).equals(bytes)).toBe(true);
        return all.together((same) => putImage(same, name, { annotations: { n: 'together' } }, 'together'));
      });
      expect((await store.manifest(name, 'together'))?.digest).toBe(put.digest);
      expect((await bytesOf(store, name, config.digest)).equals(bytes)).toBe(true);
    });

    it('keeps many at once', async () => {
      const all = Array.from({ length: 12 }, () => randomBytes(100_000));
      const stored = await Promise.all(all.map((bytes) => store.add(name, { open: () => dribble(bytes) })));
      expect(stored.map(({ digest }) => digest)).toEqual(all.map(digestOf));
    });
  });
}
