import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, type ImageRequest, type Labelled, layoutStore, type Proof, proveImage } from '@fairway/oci';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { putBase, writeModel } from '../../harness/registry/images.ts';

let dir: string;
let folder: string;
let model: Labelled;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway layout '));
  folder = join(dir, 'model');
  model = await writeModel(folder, 3_000_000);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const alone = (): ImageRequest => ({ model, folder, repository: 'registry.example.com/m', kind: { of: 'model-only' } });
const FAIRWAY = fileURLToPath(new URL('../../../packages/cli/bin/fairway.js', import.meta.url));

it('keeps what was listed by others, and every name once, when many write at once', async () => {
  const layout = join(dir, 'many');
  mkdirSync(layout);
  const other = {
    mediaType: 'application/x',
    digest: `sha256:${'0'.repeat(64)}`,
    size: 1,
    annotations: { mine: 'yes' },
  };
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, annotations: { of: 'others' }, manifests: [other] }),
  );
  const [one, two] = [layoutStore(layout), layoutStore(layout)];
  const versions = Array.from({ length: 20 }, (_, n) => String(n + 1));
  for (const store of [one, two]) {
    await Promise.all(versions.map((version) => buildImage(store, { ...alone(), model: { ...model, version } })));
  }
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    annotations: object;
    manifests: Array<{ annotations?: Record<string, string> }>;
  };
  expect(index.annotations).toEqual({ of: 'others' });
  expect(index.manifests).toContainEqual(other);
  const names = index.manifests.flatMap(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? []);
  expect(names.sort()).toEqual(versions.map((version) => `registry.example.com/m/home-equity:${version}`).sort());
  // Each image and its two statements.
  expect(index.manifests).toHaveLength(1 + 3 * versions.length);
});

it('says that the disk is full, keeps nothing, and goes on when there is room (skipped where no small disk can be mounted)', async (context) => {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
    context.skip('mounting needs root');
  try {
    const store = layoutStore(disk);
    await expect(buildImage(store, alone())).rejects.toMatchObject({
      code: 'disk.full',
      disposition: 'retryable',
      message: 'There is no space left in the image layout (IMAGE_LAYOUT) for the model image; free some.',
    });
    expect(readdirSync(disk, { recursive: true, encoding: 'utf8' }).sort()).toEqual(['blobs', 'blobs/sha256']);
    expect(spawnSync('mount', ['-o', 'remount,size=50m', disk]).status).toBe(0);
    expect((await proveImage(store, (await buildImage(store, alone())).reference)).digest).toBe(model.digest);
  } finally {
    spawnSync('umount', [disk]);
  }
});

it('keeps nothing of what is written together when that fails, and shows nothing of it before its end', async () => {
  const layout = join(dir, 'together');
  const store = layoutStore(layout);
  const blobs = () => readdirSync(join(layout, 'blobs', 'sha256'));
  let release = () => {};
  const late = new Promise<void>((resolve) => (release = resolve));
  async function* slow() {
    yield Buffer.from('late');
    await late;
  }
  let second: Promise<unknown> = Promise.resolve();
  const failed = store.together(async (all) => {
    const { digest } = await all.add('m', { bytes: Buffer.from('one') });
    expect([await all.has('m', digest), await store.has('m', digest)]).toEqual([true, false]);
    second = all.add('m', { open: slow });
    throw new Error('the second one fails');
  });
  await expect(failed).rejects.toThrow('the second one fails');
  release();
  await second;
  expect(blobs()).toEqual([]);
  const { reference } = await buildImage(store, alone());
  expect((await proveImage(layoutStore(layout), reference)).digest).toBe(model.digest);
  expect(blobs().filter((name) => name.startsWith('.'))).toEqual([]);
});

it('takes away what a killed writer has left for more than a day, and nothing of one that still writes', async () => {
  const layout = join(dir, 'left');
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const [old, young] = [join(blobs, '.half-7-old'), join(blobs, '.half-7-young')];
  for (const file of [old, young]) writeFileSync(file, 'half');
  const daysAgo = (days: number) => Date.now() / 1000 - days * 86_400;
  utimesSync(old, daysAgo(2), daysAgo(2));
  utimesSync(young, daysAgo(0.9), daysAgo(0.9));
  await buildImage(layoutStore(layout), alone());
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});

it('says which blob is damaged', async () => {
  const layout = join(dir, 'damaged');
  const { reference, layer } = await buildImage(layoutStore(layout), alone());
  const file = join(layout, 'blobs', 'sha256', layer.digest.slice(7));
  const bytes = readFileSync(file);
  bytes[bytes.length - 2_000_000]! ^= 1;
  writeFileSync(file, bytes);
  await expect(proveImage(layoutStore(layout), reference)).rejects.toThrow(
    `Blob ${layer.digest} in the image layout (IMAGE_LAYOUT) is damaged`,
  );
});

it('is proven by the command, for people and for programs', { timeout: 240_000 }, async () => {
  const layout = join(dir, 'told');
  const store = layoutStore(layout);
  const base = await putBase(store, 'tensorflow/serving');
  const kind = { of: 'serving' as const, base: base.reference };
  const { reference } = await buildImage(store, { ...alone(), approval: 'event-\u001b[31m1', kind });
  const fairway = (...args: string[]) =>
    spawnSync(process.execPath, [FAIRWAY, 'image', '--layout', layout, ...args], { encoding: 'utf8' });
  const { stdout, status } = fairway(reference);
  expect(status).toBe(0);
  expect(stdout).toContain(`digest         ${model.digest}`);
  expect(stdout).toContain(`base           ${base.reference}\n`);
  // What an image says about itself must not steer the terminal.
  expect(stdout).not.toContain('\u001b');
  const proof = JSON.parse(fairway('--json', reference).stdout) as Proof;
  expect(proof).toMatchObject({ model: 'home-equity', version: '7', digest: model.digest, base: { proven: true } });
  const failed = fairway(base.reference);
  expect([failed.status, failed.stdout]).toEqual([1, '']);
  expect(failed.stderr).toMatch(/^fairway: The image tensorflow\/serving@\S+ was not built by Fairway: /);
});
