import { canonicalJson, hashFields, sha256 } from '@fairway/core';
import { trailerValue } from './trailers.ts';

/** A file to be hashed: what is rendered as text, what is audited as bytes (two wrong bytes may read as the same text). */
export type HashedFile = { readonly path: string; readonly text: string | Uint8Array };

/** Hash over files: path and content of each, sorted by path. */
function filesHash(files: readonly HashedFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return hashFields(sorted.flatMap(({ path, text }) => [path, sha256(text)]));
}

/** `sha256:<hex>` over the canonical intent; `subject` says what was decided, `files` is what that was rendered to. */
export function intentHash(subject: object, files: readonly HashedFile[]): string {
  return `sha256:${sha256(canonicalJson({ ...subject, files: filesHash(files) }))}`;
}

/**
 * A commit message whose intent covers its own trailers and `files`, so that both can be checked from the commit alone:
 * the trailers as they stand there, without the intent, are the subject of {@link intentHash}.
 */
export function sealedMessage(
  subject: string,
  body: string,
  trailers: Readonly<Record<string, string>>,
  files: readonly HashedFile[],
): { readonly intent: string; readonly message: string } {
  const written = Object.fromEntries(Object.entries(trailers).map(([key, value]) => [key, trailerValue(value)]));
  const intent = intentHash(written, files);
  return { intent, message: commitMessage(subject, trailerValue(body), { ...written, 'Fairway-Intent': intent }) };
}

/** A commit message: subject line, one paragraph, trailers. Trailer values are one line each. */
export function commitMessage(subject: string, body: string, trailers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${trailerValue(value)}`);
  return `${subject}\n\n${body}\n\n${lines.join('\n')}\n`;
}
