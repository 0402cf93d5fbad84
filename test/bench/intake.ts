import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { buildImage, registryStore } from '@fairway/oci';
import { attr, digestTree, graphBuilder, numberTensor, writeSavedModel } from '@fairway/savedmodel';
import { ZipFile } from 'yazl';
import { ROOT } from '../guards/source.ts';
import { putBase, writeModel } from '../harness/registry/images.ts';
import { program, startRealRegistry } from '../harness/registry/real.ts';
import { startRegistry } from '../harness/registry/registry.ts';
import { atMost, median, type Result } from './result.ts';

const GIB = 2 ** 30;
const ROUNDS = 3;
const INSPECTIONS = 9;

/** What a model of a GiB costs on its way into a registry, beside reading and copying it once. About three minutes. */
export async function intake(): Promise<Result[]> {
  execFileSync('npx', ['tsc', '-b'], { cwd: ROOT, stdio: 'inherit' });
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  try {
    return [...(await wayOfAGiB(dir)), await movedBytes(join(dir, 'small')), await inspection(join(dir, 'fifty'))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type Run = { readonly seconds: number; readonly rssMb: number; readonly digest: string; readonly parts: object };

async function wayOfAGiB(dir: string): Promise<Result[]> {
  const model = join(dir, 'model');
  const zip = join(dir, 'model.zip');
  writeLarge(model);
  await zipFolder(model, zip);
  const binary = program('docker-registry');
  const registry = binary === undefined ? await startRegistry() : await startRealRegistry(binary);
  try {
    const store = registryStore({ plainHttp: true });
    const base = await putBase(store, `${registry.host}/serving`);
    store.close();
    const runs: Run[] = [];
    const plain: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      plain.push(sumAndCopy(model, join(dir, `copy-${round}`)));
      const script = join(ROOT, 'test', 'bench', 'intake', 'pipeline.ts');
      const args = [
        '--import',
        'tsx',
        script,
        zip,
        join(dir, 'scratch'),
        base.reference,
        `${registry.host}/round-${round}`,
      ];
      runs.push(JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })) as Run);
    }
    const expected = await digestTree(model);
    if (runs.some(({ digest }) => digest !== expected)) throw new Error('the unpacked model is another one');
    return numbers(runs, plain, binary === undefined ? 'a registry in memory' : 'docker-registry');
  } finally {
    await registry.stop();
  }
}

function numbers(runs: readonly Run[], plain: readonly number[], registry: string): Result[] {
  const once = median(plain);
  const took = median(runs.map(({ seconds }) => seconds));
  const parts = JSON.stringify(runs.at(-1)?.parts, (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value) : value,
  );
  const note = `${took.toFixed(1)} s against ${once.toFixed(1)} s, medians of ${ROUNDS} in turns; ${registry}; last run, ms: ${parts.replaceAll('"', '')}`;
  return [
    { ...atMost('gib-against-sum-and-copy', round(took / once), 'x', 3, note), baseline: round(once) },
    atMost(
      'gib-rss',
      Math.round(Math.max(...runs.map(({ rssMb }) => rssMb))),
      'MB',
      200,
      'peak of the process, runtime included',
    ),
  ];
}

/** The measure: `sha256sum` of the files and `cp` of the folder. */
function sumAndCopy(folder: string, to: string): number {
  const began = performance.now();
  execFileSync('sh', ['-c', 'find "$0" -type f -exec sha256sum {} + > /dev/null && cp -r "$0" "$1"', folder, to]);
  const seconds = (performance.now() - began) / 1_000;
  rmSync(to, { recursive: true, force: true });
  return seconds;
}

/** Appending to a base of 1 GiB that another repository of the same registry has. */
async function movedBytes(dir: string): Promise<Result> {
  const registry = await startRegistry({ mounts: true });
  try {
    const store = registryStore({ plainHttp: true });
    const base = await putBase(store, `${registry.host}/serving`, { size: GIB });
    const model = await writeModel(dir, 1_000);
    const before = { ...registry.moved };
    const { layer } = await buildImage(store, {
      model,
      folder: dir,
      repository: `${registry.host}/models`,
      kind: { of: 'serving', base: base.reference },
    });
    store.close();
    const sizes = base.layers.reduce((sum, { size }) => sum + size, 0);
    const moved = registry.moved.in - before.in + registry.moved.out - before.out;
    // The model's own layer, configurations and statements are a few kB; a base layer would be 1 GiB.
    const ofBase = moved >= sizes ? sizes : 0;
    return atMost(
      'base-bytes-moved',
      ofBase,
      'B',
      0,
      `base of ${Math.round(sizes / 2 ** 20)} MiB mounted; ${moved} B moved in all, of them ${layer.size} B the model's layer`,
    );
  } finally {
    await registry.stop();
  }
}

/** `fairway inspect` as a process, on a saved_model.pb of 50 KB. */
async function inspection(dir: string): Promise<Result> {
  mkdirSync(dir, { recursive: true });
  const graph = graphBuilder();
  const x = graph.placeholder('x', 'DT_FLOAT', [-1, 1]);
  const weights = graph.constant('weights', numberTensor('DT_FLOAT', [1, 12_000], randomFloats(12_000)));
  const y = graph.op('MatMul', 'y', [x, weights], { T: attr.type('DT_FLOAT') });
  await writeSavedModel(dir, graph.build(), {
    serving_default: {
      inputs: { x: { node: x, dtype: 'DT_FLOAT', shape: [-1, 1] } },
      outputs: { y: { node: y, dtype: 'DT_FLOAT', shape: [-1, 12_000] } },
    },
  });
  const bin = join(ROOT, 'packages', 'cli', 'bin', 'fairway.js');
  const times: number[] = [];
  // The first run after a change of the sources bundles them.
  execFileSync(process.execPath, [bin, 'inspect', dir], { stdio: 'ignore' });
  for (let i = 0; i < INSPECTIONS; i++) {
    const began = performance.now();
    execFileSync(process.execPath, [bin, 'inspect', dir], { stdio: 'ignore' });
    times.push((performance.now() - began) / 1_000);
  }
  return atMost('inspect-50-kb', round(median(times)), 's', 0.5, `median of ${INSPECTIONS} processes`);
}

const randomFloats = (count: number): number[] => Array.from(randomBytes(count), (byte) => byte / 255);

/** A SavedModel of 1 GiB to whoever does not parse it: two shards of weights that do not compress. */
function writeLarge(folder: string): void {
  mkdirSync(join(folder, 'variables'), { recursive: true });
  writeFileSync(join(folder, 'saved_model.pb'), randomBytes(50_000));
  writeFileSync(join(folder, 'variables', 'variables.index'), randomBytes(1_000));
  for (const shard of [0, 1]) {
    const file = openSync(join(folder, 'variables', `variables.data-0000${shard}-of-00002`), 'w');
    for (let at = 0; at < GIB / 2; at += 2 ** 24) writeSync(file, randomBytes(2 ** 24));
    closeSync(file);
  }
}

async function zipFolder(folder: string, to: string): Promise<void> {
  const zip = new ZipFile();
  const shards = [0, 1].map((shard) => `variables/variables.data-0000${shard}-of-00002`);
  for (const path of ['saved_model.pb', 'variables/variables.index', ...shards]) zip.addFile(join(folder, path), path);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(to));
}

const round = (value: number): number => Math.round(value * 100) / 100;
