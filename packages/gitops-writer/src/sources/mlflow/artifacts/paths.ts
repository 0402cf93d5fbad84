import { pathTree } from '@fairway/archive';
import { FairwayError } from '@fairway/core';
import type { Artifact } from './store.ts';

/** What the artifacts of a version may be at most. */
export type ArtifactLimits = {
  readonly files: number;
  readonly bytes: number;
  /** Bytes of a path. */
  readonly path: number;
};

export const ARTIFACT_LIMITS: ArtifactLimits = { files: 20_000, bytes: 32 * 2 ** 30, path: 400 };

/** Of one file, on the file systems that matter. */
const LONGEST_NAME = 255;
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Why a relative path cannot be one of a file of ours, in words that follow the path; undefined when it can. */
export function pathProblem(path: string, longest: number): string | undefined {
  if (Buffer.byteLength(path) > longest) return `is longer than ${longest} bytes`;
  if (CONTROLS.test(path)) return 'has control characters';
  if (path.startsWith('/') || /^[a-z]:/i.test(path) || path.includes('\\')) return 'is no relative path';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leads out of the folder';
  if (parts.some((part) => part === '' || part === '.')) return 'has an empty name in it';
  return parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME)
    ? `has a name of more than ${LONGEST_NAME} bytes`
    : undefined;
}

/**
 * Holds a listing to the limits: plain relative paths, none twice (nor but for upper and lower case), no file that is a folder
 * as well, not too many and not too large. Throws `model.invalid`.
 */
export function checkListing(artifacts: readonly Artifact[], of: string, limits: ArtifactLimits): void {
  if (artifacts.length > limits.files) throw wrong(of, `are more than ${limits.files} files`);
  const total = artifacts.reduce((sum, { size }) => sum + (size ?? 0), 0);
  if (total > limits.bytes) throw wrong(of, `are larger than ${gib(limits.bytes)} together`);
  const tree = pathTree();
  for (const { path } of artifacts) {
    const problem = pathProblem(path, limits.path);
    if (problem !== undefined) throw wrong(of, `have a file whose name ${problem}: ${shown(path)}`);
    const placed = tree.add(path, false);
    if ('wrong' in placed) throw wrong(of, `have a file ${shown(path)} that ${placed.wrong}`);
  }
}

const gib = (bytes: number): string => `${Math.round(bytes / 2 ** 30)} GiB`;
const shown = (path: string): string => JSON.stringify(path.length > 120 ? `${path.slice(0, 120)}…` : path);

const wrong = (of: string, what: string): FairwayError =>
  new FairwayError('model.invalid', `The artifacts of ${of} ${what}; log the model again, as a folder of plain files.`);
