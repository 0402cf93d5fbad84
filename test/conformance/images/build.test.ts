import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildImage,
  type BuiltImage,
  type ImageRequest,
  type ImageStore,
  type Labelled,
  layoutStore,
  PARTS_TYPE,
  PROVENANCE_TYPE,
  proveImage,
} from '@fairway/oci';
import { digestTree, savedModelMembers } from '@fairway/savedmodel';
import { sha256 } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, type PutBase, putBase, writeModel } from '../../harness/registry/images.ts';
import { program, skopeo } from '../../harness/registry/real.ts';
import { TARGETS, type Target } from './targets.ts';

type Json = Readonly<Record<string, unknown>> & {
  readonly layers: ReadonlyArray<{ digest: string; mediaType: string; size: number }>;
  readonly manifests: ReadonlyArray<{ digest: string; mediaType: string; platform: object }>;
  readonly config: { readonly digest: string; readonly mediaType: string; readonly Env: string[] };
  readonly annotations: Readonly<Record<string, string>>;
};

const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
];
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

let dir: string;
let folder: string;
let model: Labelled;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway images '));
  folder = join(dir, 'model');
  model = await writeModel(folder);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function manifestOf(store: ImageStore, name: string, digest: string): Promise<Json> {
  return JSON.parse((await store.manifest(name, digest))?.bytes.toString('utf8') ?? '') as Json;
}

async function blobOf(store: ImageStore, name: string, digest: string): Promise<Json> {
  return JSON.parse((await bytesOf(store, name, digest)).toString('utf8')) as Json;
}

for (const kind of TARGETS) {
  describe.skipIf(kind.missing !== undefined)(`${kind.name}${kind.missing ? `: ${kind.missing}` : ''}`, () => {
    let target: Target;
    let store: ImageStore;
    let base: PutBase;
    let request: ImageRequest & { readonly kind: { readonly of: 'serving' } };
    let built: BuiltImage;
    beforeAll(async () => {
      target = await kind.start();
      store = target.store;
      base = await putBase(store, `${target.host}/base/serving`);
      const repository = `${target.host}/models`;
      request = { model, folder, repository, approval: 'event-1', kind: { of: 'serving', base: base.reference } };
      built = await buildImage(store, request);
    });
    afterAll(() => target?.stop());

    it('puts the model on the base, told to serve it, and says where all came from', async () => {
      const manifest = await manifestOf(store, built.name, built.digest);
      expect(built.reference).toBe(`${target.host}/models/home-equity@${built.digest}`);
      expect(manifest.layers.map(({ digest }) => digest)).toEqual([base.layers[0]?.digest, built.layer.digest]);
      expect(manifest.layers[1]).toEqual({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...built.layer });
      expect(manifest.annotations).toEqual({
        'dev.fairway.model': 'home-equity',
        'dev.fairway.version': '7',
        'dev.fairway.digest': model.digest,
        'dev.fairway.origin': 'directory:home-equity/7',
        'dev.fairway.approval': 'event-1',
        'org.opencontainers.image.base.name': `${target.host}/base/serving`,
        'org.opencontainers.image.base.digest': base.digest,
      });
      const config = await blobOf(store, built.name, manifest.config.digest);
      expect(config).toMatchObject({
        os: 'linux',
        architecture: 'amd64',
        created: '1970-01-01T00:00:00Z',
        config: {
          Env: ['MODEL_BASE_PATH=/models', 'MODEL_NAME=home-equity'],
          Entrypoint: ['/usr/bin/tf_serving_entrypoint.sh'],
        },
        rootfs: { type: 'layers', diff_ids: [expect.stringMatching(/^sha256:/), built.layer.digest] },
        history: [{ created_by: 'base' }, { created_by: `fairway: model ${model.digest}` }],
      });
      expect((await store.manifest(built.name, '7'))?.digest).toBe(built.digest);
    });

    it('holds the model byte for byte, and nothing else', async () => {
      const unpacked = unpack(await bytesOf(store, built.name, built.layer.digest), join(dir, `unpacked ${kind.name}`));
      const at = join(unpacked, 'models', 'home-equity', '7');
      expect(await digestTree(at)).toBe(model.digest);
      const members = await savedModelMembers(folder);
      expect(filesBelow(unpacked)).toEqual(members.map(({ path }) => `models/home-equity/7/${path}`).sort());
      for (const { path } of members) {
        expect(readFileSync(join(at, path)).equals(readFileSync(join(folder, path)))).toBe(true);
        expect(statSync(join(at, path)).mode & 0o777).toBe(0o644);
      }
    });

    it('gives the same digest again, from another folder too', async () => {
      const copy = join(dir, `copy ${kind.name}`);
      cpSync(folder, copy, { recursive: true });
      expect(await buildImage(store, { ...request, folder: copy })).toEqual(built);
      const other = await buildImage(store, { ...request, approval: 'event-2' });
      expect(other.digest).not.toBe(built.digest);
      expect(other.layer).toEqual(built.layer);
    });

    it('proves which model is inside', async () => {
      const { host } = target;
      const proof = {
        reference: built.reference,
        kind: 'serving',
        model: 'home-equity',
        version: '7',
        digest: model.digest,
        origin: 'directory:home-equity/7',
        approval: 'event-1',
        files: 6,
        base: { name: `${host}/base/serving`, digest: base.digest, proven: true },
        platforms: ['linux/amd64'],
        attached: [PARTS_TYPE, PROVENANCE_TYPE],
      };
      expect(await proveImage(store, built.reference)).toMatchObject(proof);
      await buildImage(store, request);
      expect(await proveImage(store, `${built.name}:7`)).toMatchObject(proof);
      await expect(proveImage(store, base.reference)).rejects.toThrow('was not built by Fairway');
      await expect(proveImage(store, `${built.name}@sha256:${'0'.repeat(64)}`)).rejects.toThrow(
        /is not in .*look at its name/,
      );
    });

    it('states how the image came about and what is in it, without a time', async () => {
      const [provenance, parts] = await Promise.all(
        built.statements.map(async ({ digest }) => {
          const { layers } = await manifestOf(store, built.name, digest);
          return blobOf(store, built.name, layers[0]?.digest ?? '');
        }),
      );
      expect(provenance).toMatchObject({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: built.name, digest: { sha256: built.digest.slice(7) } }],
        predicateType: 'https://slsa.dev/provenance/v1',
        predicate: {
          buildDefinition: {
            externalParameters: {
              model: 'home-equity',
              version: '7',
              source: 'directory:home-equity/7',
              approval: 'event-1',
            },
            resolvedDependencies: [
              { name: 'model', digest: { fairwaySavedModelTree: model.digest.slice(7) } },
              { name: 'base', digest: { sha256: base.digest.slice(7) } },
            ],
          },
        },
      });
      expect(parts).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
      const [part] = (
        parts as unknown as { components: Array<{ components: Array<{ name: string; hashes: object[] }> }> }
      ).components;
      const members = await savedModelMembers(folder);
      expect(part?.components.map(({ name, hashes }) => [name, hashes])).toEqual(
        members.map(({ path }) => [path, [{ alg: 'SHA-256', content: sha256sum(join(folder, path)) }]]),
      );
      expect(JSON.stringify([provenance, parts])).not.toMatch(/20\d\d-\d\d-\d\dT/);
    });

    it('keeps every platform of a base, in words of OCI throughout, without what attests the base', async () => {
      const name = `${target.host}/base/many`;
      const many = await putBase(store, name, { platforms: PLATFORMS, words: 'docker', attested: true });
      const image = await buildImage(store, { ...request, kind: { of: 'serving', base: many.reference } });
      expect(image.dropped).toEqual([
        { digest: expect.any(String), reason: expect.stringContaining('attests the base') },
      ]);
      const top = await store.manifest(image.name, image.digest);
      expect(top?.mediaType).toBe(INDEX);
      const { manifests } = JSON.parse(top?.bytes.toString('utf8') ?? '') as Json;
      expect(manifests.map(({ mediaType, platform }) => [mediaType, platform])).toEqual(
        PLATFORMS.map((one) => [MANIFEST, one]),
      );
      for (const [n, { digest }] of manifests.entries()) {
        const one = await manifestOf(store, image.name, digest);
        const { mediaType, config, layers } = one;
        expect([mediaType, config.mediaType]).toEqual([MANIFEST, 'application/vnd.oci.image.config.v1+json']);
        expect(layers.map((layer) => [layer.mediaType, layer.digest])).toEqual([
          ['application/vnd.oci.image.layer.v1.tar+gzip', many.layers[n]?.digest],
          ['application/vnd.oci.image.layer.v1.tar', built.layer.digest],
        ]);
        expect(await blobOf(store, image.name, config.digest)).toMatchObject(PLATFORMS[n] ?? {});
      }
      const proof = await proveImage(store, image.reference);
      expect(proof).toMatchObject({ base: { proven: true }, platforms: ['linux/amd64', 'linux/arm64/v8'] });
    });

    it('makes an image of the model alone, for image volumes', async () => {
      const repository = `${target.host}/volumes`;
      const alone = await buildImage(store, { ...request, repository, kind: { of: 'model-only' } });
      const unpacked = unpack(await bytesOf(store, alone.name, alone.layer.digest), join(dir, `volume ${kind.name}`));
      expect(await digestTree(join(unpacked, '7'))).toBe(model.digest);
      expect((await manifestOf(store, alone.name, alone.digest)).layers).toHaveLength(1);
      expect(await proveImage(store, alone.reference)).toMatchObject({
        kind: 'model-only',
        digest: model.digest,
        base: undefined,
        platforms: ['linux/amd64'],
      });
      const both = await buildImage(store, {
        ...request,
        repository,
        kind: { of: 'model-only', platforms: PLATFORMS },
      });
      expect((await proveImage(store, both.reference)).platforms).toEqual(['linux/amd64', 'linux/arm64/v8']);
      expect(both.layer).toEqual(alone.layer);
    });

    it('names no model that is not in the layer, and finds out when somebody else has', async () => {
      const other = join(dir, `other ${kind.name}`);
      cpSync(folder, other, { recursive: true });
      writeFileSync(join(other, 'saved_model.pb'), 'another graph');
      const held = await digestTree(other);
      const lying = { ...request, repository: `${target.host}/lies`, folder: other };
      await expect(buildImage(store, lying)).rejects.toMatchObject({ code: 'model.changed', detail: { digest: held } });
      const name = `${target.host}/lies/home-equity`;
      expect(await store.manifest(name, '7')).toBeUndefined();
      const honest = await buildImage(store, { ...lying, model: { ...model, digest: held } });
      const told = (await store.manifest(name, honest.digest))?.bytes.toString('utf8') ?? '';
      const bytes = Buffer.from(told.replaceAll(held, model.digest));
      const lie = await store.putManifest(name, { mediaType: MANIFEST, bytes });
      await expect(proveImage(store, `${name}@${lie.digest}`)).rejects.toThrow(
        `says that its model is ${model.digest}, and holds ${held}: do not deploy it.`,
      );
    });

    it('names a base that is not there', async () => {
      const reference = `${target.host}/base/serving@sha256:${'0'.repeat(64)}`;
      const asked = buildImage(store, {
        ...request,
        repository: `${target.host}/baseless`,
        kind: { of: 'serving', base: reference },
      });
      await expect(asked).rejects.toThrow(
        /^SERVING_BASE .* cannot be built on: there is no such image in .*correct SERVING_BASE\.$/,
      );
      const elsewhere = { of: 'serving' as const, base: reference, setting: 'serving.gpu.image' };
      await expect(buildImage(store, { ...request, kind: elsewhere })).rejects.toThrow(
        /correct serving\.gpu\.image\.$/,
      );
      await expect(asked).rejects.toMatchObject({ code: 'image.failed', disposition: 'terminal' });
      expect(await store.manifest(`${target.host}/baseless/home-equity`, '7')).toBeUndefined();
    });

    const binary = program('skopeo');
    const why = binary === undefined ? ': skopeo is not installed' : '';
    it.skipIf(binary === undefined || kind.name !== 'docker-registry')(`is an image to skopeo, too${why}`, async () => {
      const inspected = JSON.parse(
        skopeo(binary ?? '', ['inspect', '--tls-verify=false', `docker://${built.reference}`]),
      ) as { Digest: string; Layers: string[] };
      expect(inspected.Digest).toBe(built.digest);
      const copied = join(dir, 'by skopeo');
      skopeo(binary ?? '', ['copy', '--src-tls-verify=false', `docker://${built.reference}`, `oci:${copied}:x`]);
      const { manifests } = JSON.parse(readFileSync(join(copied, 'index.json'), 'utf8')) as Json;
      // Copied by somebody else's program, it is still proven by its bytes.
      const proof = await proveImage(layoutStore(copied), `anything@${manifests[0]?.digest}`);
      expect(proof).toMatchObject({ digest: model.digest, base: { proven: false } });
    });
  });
}

const unpack = (tar: Buffer, into: string): string => {
  mkdirSync(into);
  writeFileSync(join(dir, 'layer.tar'), tar);
  execFileSync('tar', ['-xpf', join(dir, 'layer.tar'), '-C', into, '--no-same-owner']);
  return into;
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

const sha256sum = (file: string): string => sha256(readFileSync(file));
