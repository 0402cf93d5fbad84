import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import type { LayerFile } from '@fairway/oci';
import { build, type Metafile } from 'esbuild';
import { BANNER, LEFT_OUT } from '../../packages/cli/bin/bundle.js';
import { type Bundle, pathIn } from './catalog.ts';

/** A package that is in a bundle; `ours` is part of this checkout. `integrity`: of its tarball, as the lock file has it. */
export type Part = {
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  readonly integrity: string | undefined;
  readonly ours: boolean;
};
/** A file of the layer whose bytes are at hand. */
export type BundledFile = LayerFile & { readonly bytes: Uint8Array };
export type Bundled = { readonly files: readonly BundledFile[]; readonly parts: readonly Part[] };

/**
 * The programs of a bundle with all that they import, from the sources of the checkout `root`; the licences of what came from elsewhere
 * lie beside them. The same sources and lock file give the same bytes. Throws `config.invalid` when the sources cannot be bundled.
 */
export async function bundled(root: string, bundle: Bundle): Promise<Bundled> {
  const { outputFiles, metafile } = await build({
    entryPoints: { ...bundle.entries },
    bundle: true,
    // The agent's capture thread, its tail and its smoke test are loaded by those who need them.
    splitting: true,
    write: false,
    metafile: true,
    outdir: '/out',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    absWorkingDir: root,
    banner: { js: BANNER },
    // An image without them does the same on every processor.
    external: LEFT_OUT,
    // Names stay, so that a stack can be read: nothing renames them, so keepNames, which works whenever a closure is made, is not needed.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
  }).catch((error: Error) => {
    throw new FairwayError(
      'config.invalid',
      `The sources of ${bundle.name} cannot be bundled; npm ci, then npm run types, say more: ${error.message}`,
    );
  });
  const places = placesIn(root, metafile);
  const files = outputFiles.map(({ path, contents }) => file(bundle, path.slice('/out/'.length), contents));
  const licences = file(bundle, 'LICENSES.txt', Buffer.from(licencesOf(root, places)));
  return { files: [...files, licences], parts: partsOf(root, places) };
}

const file = (bundle: Bundle, name: string, bytes: Uint8Array): BundledFile => ({
  path: pathIn(bundle, name),
  size: bytes.length,
  bytes,
  open: () => [bytes],
});

/** Folders of the packages whose code is in an output, sorted. */
function placesIn(root: string, { outputs }: Metafile): string[] {
  const places = new Set<string>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs))
      if (bytesInOutput > 0) places.add(placeOf(root, path));
  }
  return [...places].sort();
}

function placeOf(root: string, path: string): string {
  const [, place] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? /^(packages\/[^/]+)\//.exec(path) ?? [];
  if (place !== undefined && existsSync(join(root, place, 'package.json'))) return place;
  throw new FairwayError('config.invalid', `${path} belongs to no package; the parts list would leave it out.`);
}

type Manifest = { readonly name: string; readonly version: string; readonly license?: string };
type Lock = { readonly packages: Readonly<Record<string, { readonly integrity?: string }>> };

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function partsOf(root: string, places: readonly string[]): Part[] {
  const lock = json(join(root, 'package-lock.json')) as Lock;
  const parts = places.map((place) => {
    const { name, version, license } = json(join(root, place, 'package.json')) as Manifest;
    const ours = !place.includes('node_modules');
    return { name, version, license, integrity: lock.packages[place]?.integrity, ours };
  });
  // The same version at two places is one part.
  const byKey = new Map(parts.map((part) => [`${part.name}@${part.version}`, part]));
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}

/** Each text once, below the packages that it is of. */
function licencesOf(root: string, places: readonly string[]): string {
  const packages = new Map<string, string[]>();
  for (const place of places.filter((one) => one.includes('node_modules'))) {
    const { name, version, license = 'not said' } = json(join(root, place, 'package.json')) as Manifest;
    const names = readdirSync(join(root, place)).filter((entry) => /^(licen[cs]e|copying|notice)/i.test(entry));
    const texts = names.sort().map((entry) => readFileSync(join(root, place, entry), 'utf8').trim());
    const text = texts.length > 0 ? texts.join('\n\n') : `Its package says: ${license}`;
    packages.set(text, [...(packages.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const own = readFileSync(join(root, 'LICENSE'), 'utf8').trim();
  const others = [...packages].map(([text, names]) => `${names.join('\n')}\n\n${text}`);
  return `${[`Fairway\n\n${own}`, ...others].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
