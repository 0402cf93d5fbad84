import { canonicalJson, hashFields, sha256 } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';

/** Hash over files: path and content of each, sorted by path. */
function filesHash(files: readonly RepositoryFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return hashFields(sorted.flatMap(({ path, text }) => [path, sha256(text)]));
}

/** `sha256:<hex>` over the canonical intent; `subject` says what was decided, `files` is what that was rendered to. */
export function intentHash(subject: object, files: readonly RepositoryFile[]): string {
  return `sha256:${sha256(canonicalJson({ ...subject, files: filesHash(files) }))}`;
}

/** A commit message: subject line, one paragraph, trailers. Trailer values are one line each. */
export function commitMessage(subject: string, body: string, trailers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${value.replaceAll(/\s+/g, ' ').trim()}`);
  return `${subject}\n\n${body}\n\n${lines.join('\n')}\n`;
}
