import { expect, test } from 'vitest';
import { availableVersions, resolvedVersions } from './status.ts';

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

const metadata = (version: unknown) => JSON.stringify({ model_spec: { name: 'm', version }, metadata: {} });

test.each([
  ['what a label stands for', 200, metadata('12'), ['12']],
  ['an unknown label', 400, '{"error":"Unrecognized servable version label: x"}', []],
  ['an unknown model', 404, '{"error":"no"}', []],
  ['a server in trouble', 503, '{"error":"no"}', undefined],
  ['no version', 200, metadata(12), undefined],
  ['no JSON', 200, '<html>', undefined],
  ['null', 200, 'null', undefined],
])('%s', (_, status, text, versions) => {
  expect(resolvedVersions({ status, text })).toEqual(versions);
});
