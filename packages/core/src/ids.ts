import { createHash } from 'node:crypto';
import { FairwayError } from './errors.ts';
import type { ChangeKind } from './model.ts';

/** sha256 of text or bytes, lower-case hex. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Hash over fields that may hold any text: each is length-prefixed, so `["a","bc"]` and `["ab","c"]` differ. */
export function hashFields(fields: readonly string[]): string {
  return sha256(fields.map((field) => `${Buffer.byteLength(field)}:${field}`).join(''));
}

/** What a Change is made of; the id follows from it alone, on any machine, at any time. */
export type ChangeKey = {
  readonly kind: ChangeKind;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly environment: string;
  /** Approval event id, or the monitor's dedupe key. */
  readonly event: string;
};

/** Change id: 20 hex digits of sha256 over (kind, model, version, digest, environment, event). */
export function changeId(key: ChangeKey): string {
  return hashFields([key.kind, key.model, key.version, key.digest, key.environment, key.event]).slice(0, 20);
}

/** Branch of a change, e.g. `fairway/deploy/home-equity/prod/1f0c…`. */
export function branchName(key: Pick<ChangeKey, 'kind' | 'model' | 'environment'>, id: string): string {
  return `fairway/${key.kind}/${key.model}/${key.environment}/${id}`;
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A model or environment name: a DNS label (RFC 1123), because it becomes a path, a branch, a namespace and a label.
 * Throws `input.invalid` with a sentence that says what is wrong.
 */
export function checkName(what: string, name: string): string {
  if (NAME.test(name)) return name;
  const shown = JSON.stringify(name.length > 70 ? `${name.slice(0, 70)}…` : name);
  throw new FairwayError(
    'input.invalid',
    `${what} ${shown} is not usable: use 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit.`,
  );
}

/** A model version for TF Serving: a positive integer without leading zeros, at most 18 digits (int64). */
export function checkVersion(version: string): string {
  if (/^[1-9][0-9]{0,17}$/.test(version)) return version;
  throw new FairwayError(
    'input.invalid',
    `Model version ${JSON.stringify(version.slice(0, 70))} is not usable: TensorFlow Serving needs a positive whole number such as 1.`,
  );
}
