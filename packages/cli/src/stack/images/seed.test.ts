import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@fairway/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seedImages } from './seed.ts';

describe('seedImages', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'layout-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const index = () =>
    JSON.parse(readFileSync(join(dir, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
  const blob = (digest: string) => readFileSync(join(dir, 'blobs', ...digest.split(':')));

  it('writes a layout whose every blob is what its name says', async () => {
    const images = await seedImages(dir);
    expect(Object.keys(images)).toEqual(['tensorflow/serving', 'fairway/agent', 'home-equity-trainer']);
    for (const name of readdirSync(join(dir, 'blobs/sha256'))) expect(sha256(blob(`sha256:${name}`))).toBe(name);
    const { digest } = index().manifests.find(
      ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === 'tensorflow/serving',
    ) ?? { digest: '' };
    expect(images['tensorflow/serving']).toBe(`tensorflow/serving@${digest}`);
    const manifest = JSON.parse(blob(digest).toString()) as { config: { digest: string } };
    const { config } = JSON.parse(blob(manifest.config.digest).toString()) as { config: object };
    expect(config).toEqual({
      Env: ['MODEL_NAME=model', 'MODEL_BASE_PATH=/models'],
      Entrypoint: ['/usr/bin/tf_serving_entrypoint.sh'],
    });
  });

  it('gives the same images every time and keeps what others have listed', async () => {
    const first = await seedImages(dir);
    const other = {
      mediaType: 'm',
      digest: `sha256:${'0'.repeat(64)}`,
      size: 1,
      annotations: { 'org.opencontainers.image.ref.name': 'mine' },
    };
    writeFileSync(join(dir, 'index.json'), JSON.stringify({ ...index(), manifests: [...index().manifests, other] }));
    expect(await seedImages(dir)).toEqual(first);
    expect(index().manifests).toHaveLength(4);
    expect(index().manifests).toContainEqual(other);
  });

  it('makes the same bytes on every machine', async () => {
    // A change here changes every deployed image reference: bump knowingly.
    const images = await seedImages(dir);
    expect(images).toMatchInlineSnapshot(`
      {
        "fairway/agent": "fairway/agent@sha256:ea5df77cd1996b614493832923908d26925da9fda6e56b5af65744257a63d6c2",
        "home-equity-trainer": "home-equity-trainer@sha256:6ce9e2ddeb8edaaae6795cd855c7297574321bae8395e930712515eb8bf8cb0b",
        "tensorflow/serving": "tensorflow/serving@sha256:38283fbe541573797b207f408046ef52f23334c78433bd50d3e1097bdefc50f7",
      }
    `);
  });
});
