import { FairwayError, redact } from '@fairway/core';

const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'There is no space left on the disk: free some and start again.',
  EROFS: 'The disk is read-only: choose another folder with --dir.',
  EACCES: 'A file or folder may not be used by this user',
  EPERM: 'A file or folder may not be used by this user',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n) and start again.',
};

/** Any error as one sentence for a person, without secrets. */
export function sentence(error: unknown): string {
  if (error instanceof FairwayError) return redact(error.message);
  const { code, path, message } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : SYSTEM[code];
  if (known === undefined) return redact(message || String(error));
  return known.endsWith('.') ? known : `${known}: ${path ?? redact(message)}.`;
}
