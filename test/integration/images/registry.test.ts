import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, type ImageRequest, type ImageStore, type Labelled, proveImage, registryStore } from '@fairway/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PutBase, putBase, writeModel } from '../../harness/registry/images.ts';
import { type Fate, type Seen, startRegistry, type TestRegistry } from '../../harness/registry/registry.ts';

const CHUNK = 64 * 1024;
const QUICK = { plainHttp: true, chunkBytes: CHUNK, pauseMs: 1 };

let dir: string;
let folder: string;
let model: Labelled;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway images '));
  folder = join(dir, 'model');
  model = await writeModel(folder, 600_000);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let registry: TestRegistry;
let store: ImageStore;
let base: PutBase;
let request: ImageRequest;
const stops: Array<() => unknown> = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(options: Parameters<typeof startRegistry>[0] = {}) {
  registry = await startRegistry(options);
  store = registryStore(QUICK);
  stops.push(() => registry.stop());
  stops.push(() => store.close());
  base = await putBase(store, `${registry.host}/base/serving`, { size: 2_000_000 });
  request = { model, folder, repository: `${registry.host}/models`, kind: { of: 'serving', base: base.reference } };
  registry.moved.in = 0;
  registry.moved.out = 0;
}

const isPatch = ({ method }: Seen): boolean => method === 'PATCH';
/** `fate` for the nth request of those that `is` picks, counted from 1. */
function nth(is: (seen: Seen) => boolean, n: number, fate: Fate): TestRegistry['fate'] {
  let times = 0;
  return (seen) => (is(seen) && (times += 1) === n ? fate : undefined);
}

/** After a failure nothing may be left that looks like an image, or is half of one. */
function nothingKept() {
  expect(registry.tags('models/home-equity')).toEqual([]);
  expect(registry.state.repositories.get('models/home-equity')?.manifests.size ?? 0).toBe(0);
  expect(registry.state.uploads.size).toBe(0);
}

describe('what moves', () => {
  it('moves no byte of the base where blobs can be mounted, and sends the model once', async () => {
    await start();
    const { layer, reference } = await buildImage(store, request);
    expect(registry.moved.in).toBeGreaterThan(layer.size);
    // Configuration, two statements and their empty configuration are what comes on top.
    expect(registry.moved.in - layer.size).toBeLessThan(8_000);
    // Its manifest and configuration are read, its layer is not.
    expect(registry.moved.out).toBeLessThan(1_000);
    expect((await proveImage(store, reference)).base?.proven).toBe(true);
  });

  it('copies the base as a stream where they cannot, once', async () => {
    await start({ mounts: false });
    const { layer } = await buildImage(store, request);
    const size = base.layers[0]?.size ?? 0;
    expect(registry.moved.in).toBeGreaterThan(layer.size + size);
    registry.moved.in = 0;
    const again = await buildImage(store, request);
    expect(again.layer).toEqual(layer);
    expect(registry.moved.in).toBeLessThan(layer.size + 8_000);
    // The uploads that the registry began instead of mounting are not left lying about.
    expect(registry.state.uploads.size).toBe(0);
  });

  it('takes a base from another registry', async () => {
    await start();
    const elsewhere = await startRegistry();
    stops.push(() => elsewhere.stop());
    const far = await putBase(store, `${elsewhere.host}/base/serving`, { size: 400_000 });
    const { reference } = await buildImage(store, { ...request, kind: { of: 'serving', base: far.reference } });
    expect((await proveImage(store, reference)).base).toEqual({
      name: `${elsewhere.host}/base/serving`,
      digest: far.digest,
      proven: true,
    });
    expect(elsewhere.tags('models/home-equity')).toEqual([]);
  });
});

describe('drops', () => {
  beforeEach(() => start());

  it('goes on where the connection was dropped at nine tenths, and sends nothing twice', async () => {
    const undisturbed = await buildImage(store, { ...request, repository: `${registry.host}/other` });
    const pieces = registry.seen.filter(isPatch).length;
    expect(pieces).toBeGreaterThan(8);
    registry.moved.in = 0;
    registry.fate = nth(isPatch, pieces - 1, { cut: CHUNK / 2 });
    const built = await buildImage(store, request);
    expect(built.layer).toEqual(undisturbed.layer);
    expect(registry.moved.in - built.layer.size).toBeLessThan(8_000);
    expect((await proveImage(store, built.reference)).digest).toBe(model.digest);
  });

  it('goes on after each of many drops', async () => {
    let times = 0;
    registry.fate = (seen) => (isPatch(seen) && (times += 1) % 2 === 1 ? { cut: 1_000 } : undefined);
    const built = await buildImage(store, request);
    expect((await proveImage(store, built.reference)).digest).toBe(model.digest);
    expect(times).toBeGreaterThan(15);
  });

  it('begins again when the registry has forgotten the upload', async () => {
    registry.fate = nth(isPatch, 3, { cut: 10 });
    const forget = registry.fate;
    registry.fate = (seen) => {
      const fate = forget(seen);
      if (seen.method === 'GET' && seen.path.includes('/uploads/')) registry.state.uploads.clear();
      return fate;
    };
    const built = await buildImage(store, request);
    expect((await proveImage(store, built.reference)).digest).toBe(model.digest);
    expect(registry.state.uploads.size).toBe(0);
  });

  it('finds the blob when only the answer to its end was lost', async () => {
    const isEnd = ({ method, path }: Seen) => method === 'PUT' && path.includes('/uploads/');
    registry.fate = nth(isEnd, 1, { status: 503, body: '{}' });
    const built = await buildImage(store, request);
    expect((await proveImage(store, built.reference)).digest).toBe(model.digest);
  });

  it.each([
    ['every piece is dropped', isPatch, { cut: 0 }, /took no more bytes of an upload in 5 tries/],
    [
      'the registry is full',
      isPatch,
      { status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"no space left on device"}]}' },
      /answered 500 \(UNKNOWN: no space left on device\)/,
    ],
    [
      'a proxy takes no large bodies',
      isPatch,
      { status: 413, type: 'text/plain', body: 'Too Large' },
      /takes no such large bodies/,
    ],
    [
      'the manifest is refused',
      ({ method, path }: Seen) => method === 'PUT' && path.includes('/manifests/'),
      { status: 403, body: '{"errors":[{"code":"DENIED","message":"read only"}]}' },
      /answered 403 \(DENIED: read only\).*credentials/,
    ],
  ])('keeps nothing when %s', async (_what, is, fate, sentence) => {
    registry.fate = (seen) => (is(seen) ? fate : undefined);
    const failed = buildImage(store, request);
    await expect(failed).rejects.toThrow(sentence);
    await expect(failed).rejects.toThrow(/^The image registry 127\.0\.0\.1:\d+ \(IMAGE_REPOSITORY\)/);
    nothingKept();
  });

  it('writes no tag when a statement cannot be attached', async () => {
    registry.fate = ({ method, path }) =>
      method === 'PUT' &&
      path.includes('/manifests/') &&
      registry.state.repositories.get('models/home-equity')?.manifests.size === 1
        ? { status: 500 }
        : undefined;
    await expect(buildImage(store, request)).rejects.toThrow('answered 500');
    expect(registry.tags('models/home-equity')).toEqual([]);
    registry.fate = () => undefined;
    expect((await buildImage(store, request)).tag).toBe('7');
  });

  it('says when nobody answers at all', async () => {
    await registry.stop();
    stops.length = 0;
    await expect(buildImage(store, request)).rejects.toMatchObject({
      code: 'registry.unavailable',
      disposition: 'retryable',
      message: expect.stringContaining('The image registry at http://127.0.0.1'),
    });
  });
});

describe('what is no registry', () => {
  beforeEach(() => start());
  const page = { type: 'text/html; charset=utf-8', body: '<html>Sign in</html>' };

  it.each([200, 404, 500])('names a page of HTML that comes with %d', async (status) => {
    registry.fate = () => ({ status, ...page });
    const failed = buildImage(store, request);
    await expect(failed).rejects.toThrow(/HTML page.*login page or a proxy\. Correct the address\.$/);
  });

  it('does not take a page for a blob that is there', async () => {
    registry.fate = ({ method }) => (method === 'HEAD' || method === 'PATCH' ? { status: 200, ...page } : undefined);
    await expect(buildImage(store, request)).rejects.toThrow('HTML page');
    nothingKept();
  });

  it('refuses other bytes than those it asked for', async () => {
    registry.fate = ({ path }) =>
      path.includes('/manifests/sha256:')
        ? { status: 200, type: 'application/vnd.oci.image.manifest.v1+json' }
        : undefined;
    await expect(buildImage(store, request)).rejects.toThrow(/damaged: its bytes are sha256:/);
  });
});

describe('this end', () => {
  it('cancels the upload when a file of the model cannot be read to its end', async () => {
    await start();
    const broken = join(dir, 'broken');
    const labelled = await writeModel(broken, 6_000_000);
    registry.fate = (seen) => {
      if (isPatch(seen)) writeFileSync(join(broken, 'variables', 'variables.data-00000-of-00001'), 'short');
      return undefined;
    };
    await expect(buildImage(store, { ...request, model: labelled, folder: broken })).rejects.toMatchObject({
      code: 'model.changed',
      message: expect.stringContaining('became shorter while it was read'),
    });
    nothingKept();
  });
});
