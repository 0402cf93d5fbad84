import { expect, test } from 'vitest';
import { availableVersions } from './status.ts';

const entry = (version: unknown, state: string) => ({
  version,
  state,
  status: { error_code: 'OK', error_message: '' },
});
const answer = (...entries: unknown[]) => JSON.stringify({ model_version_status: entries });

test.each([
  ['one', answer(entry('1', 'AVAILABLE')), ['1']],
  ['ascending by number', answer(entry('10', 'AVAILABLE'), entry('9', 'AVAILABLE')), ['9', '10']],
  ['ended, failed and loading ones do not serve', answer(entry('1', 'END'), entry('2', 'LOADING')), []],
  ['what is no version is left out', answer(entry('x', 'AVAILABLE'), null, entry(3, 'AVAILABLE')), ['3']],
  ['an error', '{"error":"no"}', undefined],
  ['no JSON', '<html>', undefined],
  ['null', 'null', undefined],
])('%s', (_, text, versions) => {
  expect(availableVersions(text)).toEqual(versions);
});
