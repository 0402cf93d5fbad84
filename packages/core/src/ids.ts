import { createHash } from 'node:crypto';
import { FairwayError } from './errors.ts';
import type { ChangeKind } from './model.ts';

/** sha256 of text or bytes, lower-case hex. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Hash over fields that may hold any text: each is length-prefixed, so `["a","bc"]` and `["ab","c"]` differ. */
export function hashFields(fields: readonly string[]): string {
  return sha256(fields.map((field) => `${Buffer.byteLength(field)}:${field}`).join(''));
}

const DAY_MS = 86_400_000;
/** 9999-12-31: beyond, dates have no four-digit year. */
const MAX_DATE_MS = 253_402_300_800_000;

/**
 * An exchange id that names its moment as the agent's do (UUID version 7, RFC 9562, without hyphens), made from a time in
 * ms and a hash of at least 20 hex digits instead of from chance: the same again gives the same id.
 */
export function timedId(ms: number, hash: string): string {
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${Math.max(0, Math.trunc(ms)).toString(16).padStart(12, '0')}7${hash.slice(0, 3)}${variant}${hash.slice(4, 19)}`;
}

const ID_LENGTH = 32;
const MOMENT_DIGITS = 12;
/** The version and the variant of RFC 9562, after so many digits. */
const [VERSION_AT, VARIANT_AT] = [12, 16];
const INSTANCE = /^-\d+$/;
/** Ids that are asked for together are of few days. */
let lastDay = { number: -1, text: '' };

/** UTC day (`2026-11-22`) that an exchange or prediction id was given on, or undefined when the id names none. */
export function dayOfId(id: string): string | undefined {
  const ms = momentOf(id);
  if (!(ms < MAX_DATE_MS)) return undefined;
  const number = Math.floor(ms / DAY_MS);
  if (number !== lastDay.number) lastDay = { number, text: new Date(number * DAY_MS).toISOString().slice(0, 10) };
  return lastDay.text;
}

/** NaN where the id names none. Every stored row asks for it: a pattern and `parseInt` take five times as long. */
function momentOf(id: string): number {
  let ms = 0;
  for (let at = 0; at < ID_LENGTH; at++) {
    const digit = hexDigit(id.charCodeAt(at));
    if (digit < 0 || (at === VERSION_AT && digit !== 7) || (at === VARIANT_AT && digit >> 2 !== 2)) return Number.NaN;
    if (at < MOMENT_DIGITS) ms = ms * 16 + digit;
  }
  return id.length === ID_LENGTH || INSTANCE.test(id.slice(ID_LENGTH)) ? ms : Number.NaN;
}

/** Of `0` to `9` and `a` to `f`; -1 of all others. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
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
