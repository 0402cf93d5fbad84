import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../objects.ts';
import { openJournal } from './journal.ts';

const object = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
});

describe('openJournal', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const file = () => join(dir, 'objects.jsonl');

  it('gives back what was written, without what was removed, and the last version', () => {
    const journal = openJournal(dir);
    journal.append({ version: 1, key: 'a', object: object('a') });
    journal.append({ version: 2, key: 'b', object: object('b') });
    journal.append({ version: 3, key: 'a', removed: true });
    // Not closed: this is what kill -9 leaves.
    const { recovered } = openJournal(dir);
    expect([...recovered.objects.keys()]).toEqual(['b']);
    expect(recovered.version).toBe(3);
  });

  it('drops a last line that was torn, and goes on from there', () => {
    openJournal(dir).append({ version: 1, key: 'a', object: object('a') });
    appendFileSync(file(), '{"version":2,"key":"b","obj');
    const journal = openJournal(dir);
    expect(journal.recovered.version).toBe(1);
    journal.append({ version: 2, key: 'c', object: object('c') });
    expect([...openJournal(dir).recovered.objects.keys()]).toEqual(['a', 'c']);
  });

  it('is written anew at the start, and only its owner may read it', () => {
    const journal = openJournal(dir);
    for (let version = 1; version <= 50; version++) journal.append({ version, key: 'a', object: object('a') });
    openJournal(dir);
    expect(readFileSync(file(), 'utf8').trim().split('\n')).toHaveLength(2);
    expect(statSync(file()).mode & 0o077).toBe(0);
  });
});
