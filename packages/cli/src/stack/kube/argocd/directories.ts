import type { DirectoryRule } from './types.ts';

/** Go's `path.Match`: `*` and `?` stay inside one segment, `[a-z]` is a class. */
export function pathMatches(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(/\*|\?|\[[^\]]*\]|[.+^${}()|\\\]]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.startsWith('[') ? part : `\\${part}`;
  });
  return new RegExp(`^${source}$`).test(path);
}

/** The directories that some rule names and no `exclude` rule takes away; folders that begin with a dot are never found. */
export function chosenDirectories(all: readonly string[], rules: readonly DirectoryRule[]): string[] {
  const [wanted, excluded] = [
    rules.filter(({ exclude }) => exclude !== true),
    rules.filter(({ exclude }) => exclude === true),
  ];
  return all
    .filter((path) => !path.split('/').some((segment) => segment.startsWith('.')))
    .filter(
      (path) =>
        wanted.some((rule) => pathMatches(rule.path, path)) && !excluded.some((rule) => pathMatches(rule.path, path)),
    )
    .sort();
}
