import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from '../../bin/bundle.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * What Node is given to run an entry point of ours: a bundle of its sources, which starts in less than half the time (the writer
 * in 1.9 s instead of 4.4), or the sources where there can be none.
 */
export async function runnable(entry: string): Promise<readonly string[]> {
  const name = relative(ROOT, entry)
    .replaceAll(/[^a-z0-9]+/gi, '-')
    .slice(0, 80);
  const bundled = await bundle(entry, `${ROOT}.cache/bundles/${name}`);
  return bundled === undefined ? [...sourceArgs(), entry] : [bundled];
}

/** Node arguments that run our TypeScript sources without a build. */
const sourceArgs = (): string[] => [
  '--conditions=source',
  '--import',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
];
