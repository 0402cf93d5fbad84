import { FairwayError } from '@fairway/core';
import { expect, test } from 'vitest';
import { sentence } from './sentence.ts';

const system = (code: string, path?: string) => Object.assign(new Error(`${code}: x`), { code, path });

test.each([
  [new FairwayError('input.invalid', 'Use another name.'), 'Use another name.'],
  [system('ENOSPC'), 'There is no space left on the disk: free some and start again.'],
  [system('EACCES', '/data/x'), 'A file or folder may not be used by this user: /data/x.'],
  [new Error('at postgres://u:secret@h/d'), 'at postgres://[redacted]@h/d'],
])('%s', (error, expected) => expect(sentence(error)).toBe(expected));
