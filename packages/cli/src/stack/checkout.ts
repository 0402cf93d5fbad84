import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MARK = 'packages/cli/package.json';

/** A path of the checkout: from the sources, and from a bundle of them in its `.cache`, however deep either lies. */
export const inCheckout = (path: string): string => join(ROOT, path);

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = above(HERE) ?? HERE;

function above(folder: string): string | undefined {
  if (existsSync(join(folder, MARK))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : above(parent);
}
