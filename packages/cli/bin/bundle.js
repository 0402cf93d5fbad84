// The command and the processes that it starts run from bundles of the sources, which are made anew when one of them has changed: a
// process starts in a fifth of the time that compiling each source at its import takes.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DAY_MS = 86_400_000;
const KEPT = 10;

/** Native and optional: each is asked for in a `try`. */
export const LEFT_OUT = [
  '@valkey/valkey-glide',
  'bufferutil',
  'encoding',
  'msgpackr-extract',
  'pg-native',
  'supports-color',
  'utf-8-validate',
];

/** What CommonJS code in an ES module looks for. */
export const BANNER = [
  'import{createRequire as $createRequire}from"node:module";',
  'import{dirname as $dirname}from"node:path";',
  'import{fileURLToPath as $fileURLToPath}from"node:url";',
  'const require=$createRequire(import.meta.url),__filename=$fileURLToPath(import.meta.url),__dirname=$dirname(__filename);',
].join('');

/** A command loads what it asks for and no more, so only what is ours goes in; the rest is found in node_modules. */
const OURS = {
  plugins: [{ name: 'ours', setup: (own) => own.onResolve({ filter: /^[^./]/ }, ourPackages) }],
};

/**
 * A service loads all that it has, and two thirds of the writer's start is the import of two thousand files one by one. TensorFlow.js
 * says of its backends that they have no side effects, and is the trainer's only.
 */
const WHOLE = { banner: { js: BANNER }, external: [...LEFT_OUT, '@tensorflow/*'], minifyWhitespace: true };

/**
 * The file to import, or undefined where none can be made (no esbuild, a read-only checkout): then the sources are run. `whole`: with
 * the packages from the registry that it imports.
 */
export async function bundle(main, folder, whole = false) {
  return fresh(folder) ?? (await made(main, folder, whole ? WHOLE : OURS).catch(() => undefined));
}

function fresh(folder) {
  try {
    const { bundled, inputs } = JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8'));
    const isSame = Object.entries(inputs).every(([file, stamp]) => stampOf(file) === stamp);
    return isSame && statSync(bundled).isFile() ? bundled : undefined;
  } catch {
    return undefined;
  }
}

function stampOf(file) {
  const { mtimeMs, size } = statSync(file);
  return `${mtimeMs} ${size}`;
}

async function made(main, folder, choices) {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: { main },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    absWorkingDir: '/',
    logLevel: 'silent',
    ...choices,
  });
  const hash = createHash('sha256');
  for (const { path, contents } of outputFiles) hash.update(path).update(contents);
  const name = hash.digest('hex').slice(0, 16);
  const half = join(folder, `.half-${process.pid}`);
  for (const { path, contents } of outputFiles) write(join(half, path.slice(folder.length)), contents);
  // Whoever makes the same at the same time makes the same bytes.
  try {
    renameSync(half, join(folder, name));
  } catch {
    rmSync(half, { recursive: true });
  }
  const bundled = join(folder, name, 'main.mjs');
  const inputs = Object.fromEntries(Object.keys(metafile.inputs).map((path) => [`/${path}`, stampOf(`/${path}`)]));
  write(`${half}.json`, JSON.stringify({ bundled, inputs }));
  renameSync(`${half}.json`, join(folder, 'bundle.json'));
  sweep(folder);
  return bundled;
}

const ourPackages = ({ path, kind }) =>
  kind === 'entry-point' || path.startsWith('@fairway/') ? undefined : { path, external: true };

function write(file, contents) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** Older bundles; a stack that is up may still start processes from a younger one. */
function sweep(folder) {
  const bundles = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ path: join(folder, name), madeAt: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.madeAt - a.madeAt);
  for (const { path, madeAt } of bundles.slice(KEPT))
    if (Date.now() - madeAt > DAY_MS) rmSync(path, { recursive: true, force: true });
}
