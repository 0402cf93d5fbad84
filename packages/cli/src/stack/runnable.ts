import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../bin/bundle.js';
import { inCheckout } from './checkout.ts';

/**
 * What Node is given to run an entry point of ours: a bundle of its sources and of the packages they import (the writer computes 0.8 s
 * before it listens instead of 2.6 with the packages found in node_modules, and more from the sources), or the sources where there can be none.
 */
export async function runnable(entry: string): Promise<readonly string[]> {
  const name = relative(inCheckout('.'), entry)
    .replaceAll(/[^a-z0-9]+/gi, '-')
    .slice(0, 80);
  const bundled = await bundle(entry, inCheckout(`.cache/bundles/${name}`), true);
  return bundled === undefined ? [...sourceArgs(), entry] : [bundled];
}

/** Node arguments that run our TypeScript sources without a build. */
const sourceArgs = (): string[] => [
  '--conditions=source',
  '--import',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
];
