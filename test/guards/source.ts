import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type SourceFile = {
  /** Path below the checkout, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Import specifiers; relative ones resolved to paths below the checkout. */
  readonly imports: readonly string[];
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every TypeScript source file of packages and examples, tests included. */
export function sourceFiles(): SourceFile[] {
  return ['packages', 'examples'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .map((name) => join(top, name).replaceAll('\\', '/'))
      .filter((path) => /^[^/]+\/[^/]+\/src\/.*\.ts$/.test(path) && !path.includes('node_modules'))
      .map(read),
  );
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = [...text.matchAll(IMPORT)]
    .map(([, a, b]) => a ?? b ?? '')
    .map((name) => (name.startsWith('.') ? inside(path, name) : name));
  return { path, text, imports };
}

const inside = (path: string, name: string) => relative(ROOT, resolve(ROOT, path, '..', name)).replaceAll('\\', '/');
