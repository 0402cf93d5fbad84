import { createHash } from 'node:crypto';
import { FairwayError } from '@fairway/core';
import type { ObjectType } from './reader.ts';

/** The hash that a repository names its objects by. */
export type ObjectFormat = 'sha1' | 'sha256';

/** A whole object name. */
export const OBJECT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

export const formatOf = (id: string): ObjectFormat => (id.length === 64 ? 'sha256' : 'sha1');

/** The name that git gives an object of these bytes. */
export function objectId(format: ObjectFormat, type: ObjectType, ...parts: readonly Buffer[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const hash = createHash(format).update(`${type} ${length}\0`);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** A commit is a few hundred bytes; a signature adds a few hundred more. */
export const MAX_COMMIT = 1024 * 1024;

export type Person = { readonly name: string; readonly email: string };
export type CommitParts = {
  readonly tree: string;
  readonly parent: string;
  readonly person: Person;
  /** RFC 3339. */
  readonly date: string;
  readonly message: string;
};

/** A commit byte for byte as `git commit-tree` writes it; author and committer are the same person at the same time. */
export function commitBytes({ tree, parent, person, date, message }: CommitParts): Buffer {
  if (message.includes('\0')) throw new FairwayError('input.invalid', 'A commit message cannot hold a NUL character.');
  const who = `${identity(person)} ${gitDate(date)}`;
  return Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${message}`, 'utf8');
}

/** The commit with a signature over all the rest of it. */
export function withSignature(commit: Buffer, format: ObjectFormat, signature: string): Buffer {
  const head = commit.indexOf('\n\n') + 1;
  const header = format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256';
  const lines = `${header} ${signature.trimEnd().replaceAll('\n', '\n ')}\n`;
  return Buffer.concat([commit.subarray(0, head), Buffer.from(lines, 'utf8'), commit.subarray(head)]);
}

/** What a commit says, without who signed it. */
export type ReadCommit = {
  readonly tree: string;
  readonly parents: readonly string[];
  /** Name, address, time and zone as they stand in the commit. */
  readonly author: string;
  readonly message: string;
};

export function readCommit(commit: Buffer): ReadCommit {
  const text = commit.toString('utf8');
  const end = text.indexOf('\n\n');
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n');
  const values = (header: string) =>
    lines.filter((line) => line.startsWith(`${header} `)).map((line) => line.slice(header.length + 1));
  return {
    tree: values('tree')[0] ?? '',
    parents: values('parent'),
    author: values('author')[0] ?? '',
    message: end < 0 ? '' : text.slice(end + 2),
  };
}

/** `Name <address>`, cleaned as git cleans it: no line breaks or angle brackets, no blanks or punctuation at the ends. */
export function identity({ name, email }: Person): string {
  const clean = (text: string) => {
    let [start, end] = [0, text.length];
    while (start < end && isCrud(text.charAt(start))) start += 1;
    while (end > start && isCrud(text.charAt(end - 1))) end -= 1;
    return text.slice(start, end).replaceAll(/[\n<>]/g, '');
  };
  return `${clean(name)} <${clean(email)}>`;
}

const isCrud = (character: string): boolean => character <= ' ' || ',:;<>"\\\''.includes(character);

/** Seconds and zone of an RFC 3339 time; the zone is kept, fractions of a second are dropped. */
function gitDate(date: string): string {
  const ms = Date.parse(date);
  if (Number.isNaN(ms)) throw new FairwayError('input.invalid', `${date} is no date; send RFC 3339.`);
  const zone = /([+-]\d\d):?(\d\d)$/.exec(date);
  return `${Math.floor(ms / 1000)} ${zone === null ? '+0000' : `${zone[1]}${zone[2]}`}`;
}
