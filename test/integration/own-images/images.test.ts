import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutStore, PARTS_TYPE, PROVENANCE_TYPE } from '@fairway/oci';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basesOf } from '../../../tools/images/base.ts';
import { buildImages, type Made, type WantedImages, writeFiles } from '../../../tools/images/build.ts';
import { IMAGES } from '../../../tools/images/catalog.ts';
import { sourceOf } from '../../../tools/images/source.ts';
import { ROOT } from '../../guards/source.ts';
import { program, skopeo } from '../../harness/registry/real.ts';
import { openFolder, remove, SOURCE, writeBase } from './support.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const S390X = { os: 'linux', architecture: 's390x' };
/** The budget for what we add to the Node base of the agent. */
const AGENT_BYTES = 3e6;

let dir: string;
let base: string;
let made: Made[];
const at = (name: string) => join(dir, name);
const wanted = (more: Partial<WantedImages>): WantedImages => ({
  root: ROOT.replace(/\/$/, ''),
  only: [],
  oci: at('new'),
  bases: [at('base')],
  source: SOURCE,
  statements: undefined,
  ...more,
});
const image = (name: string): Made => made.find((one) => one.name === `fairway/${name}`) as Made;
const blob = (digest: string): unknown =>
  JSON.parse(readFileSync(join(at('images'), 'blobs', 'sha256', digest.slice(7)), 'utf8'));

type Index = { manifests: { digest: string; platform: object }[] };
type Manifest = { config: { digest: string }; layers: { digest: string }[]; annotations: Record<string, string> };
type Config = {
  created: string;
  config: { Labels: Record<string, string>; Env: string[] } & Record<string, unknown>;
  rootfs: { diff_ids: string[] };
};

beforeAll(async () => {
  dir = openFolder();
  base = await writeBase(at('base'), [AMD64, ARM64, S390X]);
  made = await buildImages(wanted({ oci: at('images'), statements: at('statements') }));
});
afterAll(() => remove(dir));

describe('the images', () => {
  it('are one for each service and its like, on both processors of the base', () => {
    expect(made.map(({ name, tag }) => `${name}:${tag}`)).toEqual(IMAGES.map(({ name }) => `fairway/${name}:0.1.0`));
    for (const one of made) {
      const { manifests } = blob(one.digest) as Index;
      expect(manifests.map(({ platform }) => platform)).toEqual([AMD64, ARM64]);
      for (const { digest } of manifests) {
        const { layers } = blob(digest) as Manifest;
        expect(layers).toHaveLength(2);
        expect(layers[1]?.digest).toBe(one.layer.digest);
      }
    }
    expect(image('agent').dropped.map(({ reason }) => reason)).toEqual([
      'Fairway runs on linux/amd64 and linux/arm64, this is for linux/s390x',
      'it attests the base image, and says nothing about this one',
    ]);
  });

  it('have layers of the promised size, shared where one differs in its entry point only', () => {
    expect(image('agent').layer.size).toBeLessThanOrEqual(AGENT_BYTES);
    expect(image('injector').layer).toEqual(image('agent').layer);
    expect(image('recorder').layer).toEqual(image('monitor').layer);
    expect(new Set(made.map(({ digest }) => digest)).size).toBe(IMAGES.length);
  });

  it('start as nobody in particular, in group 0, and say where they are from', () => {
    const [first] = (blob(image('agent').digest) as Index).manifests;
    const { config, annotations } = blob(first?.digest ?? '') as Manifest;
    const { created, config: settings, rootfs } = blob(config.digest) as Config;
    expect(settings).toMatchObject({
      User: '1001:0',
      WorkingDir: '/',
      Entrypoint: ['node', '--max-semi-space-size=2', '/opt/fairway/agent/main.mjs'],
      StopSignal: 'SIGTERM',
      Env: ['MODEL_NAME=model', 'MODEL_BASE_PATH=/models', 'NODE_ENV=production'],
    });
    expect(settings).not.toHaveProperty('Cmd');
    expect(created).toBe(SOURCE.created);
    expect(rootfs.diff_ids.at(-1)).toBe(image('agent').layer.digest);
    const key = (name: string) => `org.opencontainers.image.${name}`;
    expect(settings.Labels).toMatchObject({
      [key('source')]: SOURCE.url,
      [key('revision')]: SOURCE.revision,
      [key('version')]: '0.1.0',
      [key('licenses')]: 'Apache-2.0',
      [key('created')]: SOURCE.created,
    });
    expect(annotations).toMatchObject({ ...settings.Labels, [key('base.digest')]: base });
  });

  it('are the same bytes again, also one alone, and another commit changes no layer', async () => {
    const agent = await buildImages(wanted({ oci: at('again'), only: ['agent'] }));
    expect(agent).toEqual([image('agent')]);
    const source = { ...SOURCE, revision: 'f'.repeat(40), created: '2026-02-02T00:00:00Z' };
    const [later] = await buildImages(wanted({ oci: at('later'), only: ['agent'], source }));
    expect(later?.layer).toEqual(image('agent').layer);
    expect(later?.digest).not.toBe(image('agent').digest);
  });

  it('are images to skopeo, which copies them with their digest (skipped where there is none)', (context) => {
    const binary = program('skopeo') ?? context.skip('skopeo is not installed');
    const from = `oci:${at('images')}:fairway/agent:0.1.0`;
    const inspected = JSON.parse(skopeo(binary, ['inspect', from])) as {
      Digest: string;
      Labels: Record<string, string>;
      Layers: string[];
    };
    expect(inspected.Layers).toContain(image('agent').layer.digest);
    expect(inspected.Labels['org.opencontainers.image.revision']).toBe(SOURCE.revision);
    skopeo(binary, ['copy', '--all', '--preserve-digests', from, `oci:${at('copied')}:agent`]);
    const { manifests } = JSON.parse(readFileSync(join(at('copied'), 'index.json'), 'utf8')) as Index;
    expect(manifests.map(({ digest }) => digest)).toEqual([image('agent').digest]);
  });
});

describe('what is said about them', () => {
  type Parts = {
    components: { type: string; name: string; version?: string; purl?: string; hashes?: { content: string }[] }[];
  };
  const statement = (file: string): unknown => JSON.parse(readFileSync(join(at('statements'), file), 'utf8'));

  it('lists every package in the bundle with version and hash, and none that is not in it', () => {
    const { components } = statement('agent.cdx.json') as Parts;
    const libraries = components.filter(({ type }) => type === 'library');
    const names = libraries.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['@fairway/log-sidecar', 'bullmq', 'ioredis', 'pino', 'prom-client']));
    for (const absent of ['vitest', 'esbuild', 'express', 'zod', 'msgpackr-extract', '@kubernetes/client-node'])
      expect(names).not.toContain(absent);
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    const { version, integrity } = lock.packages['node_modules/bullmq'] ?? { version: '', integrity: '' };
    const bullmq = libraries.find(({ name }) => name === 'bullmq');
    expect(bullmq).toMatchObject({ version, purl: `pkg:npm/bullmq@${version}` });
    expect(`sha512-${Buffer.from(bullmq?.hashes?.[0]?.content ?? '', 'hex').toString('base64')}`).toBe(integrity);
    for (const { name, hashes } of libraries.filter((one) => !one.name.startsWith('@fairway/')))
      expect(hashes, name).toHaveLength(1);
  });

  it('hangs on the image as artifacts, and lies beside it as files', async () => {
    const store = layoutStore(at('images'));
    for (const { name, digest } of made) {
      const types = (await store.referrers(name, digest)).map(({ artifactType }) => artifactType);
      expect(new Set(types)).toEqual(new Set([PARTS_TYPE, PROVENANCE_TYPE]));
      expect(types).toHaveLength(2);
    }
    expect(readdirSync(at('statements')).sort()).toEqual(
      IMAGES.flatMap(({ name }) => [`${name}.cdx.json`, `${name}.provenance.json`]).sort(),
    );
    expect(statement('writer.provenance.json')).toMatchObject({
      subject: [{ name: 'fairway/writer', digest: { sha256: image('writer').digest.slice(7) } }],
      predicate: { buildDefinition: { resolvedDependencies: [{ digest: { gitCommit: SOURCE.revision } }, {}, {}] } },
    });
  });

  it('gives the Containerfile the same files, and the licences of what came from elsewhere', async () => {
    const files = await writeFiles({ root: ROOT.replace(/\/$/, ''), only: ['injector'] }, at('files'));
    const listed = (statement('injector.cdx.json') as Parts).components.filter(({ type }) => type === 'file');
    expect(files.map((path) => `/${path}`)).toEqual(listed.map(({ name }) => name));
    const licences = readFileSync(join(at('files'), 'opt/fairway/agent/LICENSES.txt'), 'utf8');
    expect(licences).toContain('Apache License');
    expect(licences).toMatch(/^bullmq \d/m);
  });
});

describe('what cannot be built is told in a sentence', () => {
  const refused = async (more: Partial<WantedImages>, sentence: RegExp) => {
    await expect(buildImages(wanted({ only: ['agent'], ...more }))).rejects.toThrow(sentence);
    expect(existsSync(at('new')) && readdirSync(at('new')).length > 0).toBe(false);
  };

  it('no base, one that is not there, or no layout', async () => {
    await refused({ bases: [] }, /^Say what agent is built on: --base LAYOUT\[:REF\]/);
    await refused({ bases: [`writer=${at('base')}`] }, /^Say what agent is built on/);
    await refused({ bases: [at('base'), `writter=${at('base')}`] }, /^There is no image "writter"; there are writer,/);
    await refused({ bases: [at('nowhere:20')] }, /there is no folder .*nowhere; give an OCI image layout\.$/);
    mkdirSync(at('empty'));
    await refused({ bases: [at('empty')] }, /is no OCI image layout with an image in it\.$/);
    mkdirSync(at('broken'));
    writeFileSync(join(at('broken'), 'index.json'), '{"manifests":');
    await refused({ bases: [at('broken')] }, /index\.json of the image layout lists no manifests/);
    await refused({ bases: [`${at('base')}:22`] }, /has no image 22\. It has 20\.$/);
  });

  it('a base for processors that Fairway is not built for', async () => {
    await writeBase(at('mainframe'), [S390X]);
    await refused(
      { bases: [at('mainframe')] },
      /^--base .* cannot be built on: Fairway runs on linux\/amd64 and linux\/arm64, this is for linux\/s390x; /,
    );
    await writeBase(at('foreign'), [S390X, { os: 'windows', architecture: 'amd64' }]);
    await refused({ bases: [at('foreign')] }, /its index lists no image that fits \(.*windows\/amd64/);
  });

  it('a base without Node, and one without git for the writer alone', async () => {
    await writeBase(at('bare'), [AMD64], [['usr/bin/git']]);
    await refused(
      { bases: [at('bare')] },
      /^The base of agent has no node on its PATH for linux\/amd64: give one that has it, as --base agent=LAYOUT/,
    );
    await writeBase(at('slim'), [AMD64, ARM64], [['usr/local/bin/node']]);
    const bases = [at('slim')];
    await refused({ bases, only: ['agent', 'writer'] }, /^The base of writer has no git on its PATH for linux\/amd64/);
    const mixed = [...bases, `writer=${at('base')}`];
    const both = await buildImages(wanted({ oci: at('mixed'), bases: mixed, only: ['agent', 'writer'] }));
    expect(both.map(({ name }) => name)).toEqual(['fairway/writer', 'fairway/agent']);
  });

  it.each([
    ['a file', 'usr/bin/.wh.git'],
    ['its folder', 'usr/.wh.bin'],
    ['all that was in its folder', 'usr/bin/.wh..wh..opq'],
  ])('a base whose git a later layer takes away, with %s, unless it comes back', async (_, whiteout) => {
    const layers = [['usr/bin/git'], ['usr/local/bin/node', whiteout]];
    const [without, back] = [at(`without-${whiteout.length}`), at(`back-${whiteout.length}`)];
    await writeBase(without, [AMD64], layers);
    await refused({ bases: [without], only: ['writer'] }, /^The base of writer has no git on its PATH/);
    await writeBase(back, [AMD64], [...layers, ['usr/bin/git']]);
    const baseOf = await basesOf(
      IMAGES.filter(({ name }) => name === 'writer'),
      [back],
    );
    expect(baseOf('writer').base.images).toHaveLength(1);
  });

  it('a base with a damaged layer, and then no layout is left', async () => {
    await writeBase(at('damaged'), [AMD64]);
    const blobs = join(at('damaged'), 'blobs/sha256');
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(join(blobs, name));
      if (bytes[0] === 0x1f) writeFileSync(join(blobs, name), bytes.subarray(0, -1));
    }
    await refused({ bases: [at('damaged')] }, /is damaged: its bytes are sha256:/);
  });

  it('a folder that is not empty, and an image that there is not', async () => {
    await expect(buildImages(wanted({ oci: at('images') }))).rejects.toThrow(/is not empty: give a new folder/);
    await expect(buildImages(wanted({ oci: join(at('base'), 'index.json') }))).rejects.toThrow(
      /ENOTDIR\. Give a folder/,
    );
    await refused(
      { only: ['writr'] },
      /^There is no image "writr"; there are writer, recorder, monitor, agent, injector\.$/,
    );
  });

  it('a revision, a time and an address that are none; changed files are in the revision', () => {
    const repository = at('repository');
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
    mkdirSync(repository);
    expect(() => sourceOf(repository, {}, {})).toThrow(/^This is no Git checkout: say the commit/);
    git('init', '-q');
    writeFileSync(join(repository, 'a'), 'a');
    git('add', 'a');
    git('commit', '-qm', 'one', '--date', '2026-03-04T05:06:07Z');
    const clean = sourceOf(repository, {}, { SOURCE_DATE_EPOCH: '1700000000' });
    expect(clean).toMatchObject({ dirty: false, created: '2023-11-14T22:13:20Z' });
    expect(clean.revision).toMatch(/^[0-9a-f]{40}$/);
    writeFileSync(join(repository, 'a'), 'b');
    expect(sourceOf(repository, {}, {})).toMatchObject({ dirty: true, revision: `${clean.revision}-dirty` });
    expect(sourceOf(repository, { revision: 'abcdef0' }, {})).toMatchObject({ dirty: false, revision: 'abcdef0' });
    expect(() => sourceOf(repository, { revision: 'main' }, {})).toThrow(/^--revision "main" is no commit id/);
    expect(() => sourceOf(repository, { source: 'https://me:secret@x' }, {})).toThrow(/without a user in it\.$/);
    expect(() => sourceOf(repository, {}, { SOURCE_DATE_EPOCH: 'now' })).toThrow(/^SOURCE_DATE_EPOCH "now" is no time/);
  });
});
