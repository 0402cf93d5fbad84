import { expect, it } from 'vitest';
import { refusalOf, refused } from './refusal.ts';
import { instant, stateOf } from './wire.ts';

const answer = (status: number, body: unknown, type = 'application/vnd.sas.error+json;version=2;charset=UTF-8') => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: { 'content-type': type }, text, data: typeof body === 'string' ? undefined : body };
};

it.each([
  [['traceId: 6f3c1d2e', 'path: /x'], '6f3c1d2e'],
  [['path: /x', 'correlator: 0b51f7a2-7c1b'], '0b51f7a2-7c1b'],
  [['e7087039-09a5', 'path: /x'], undefined],
  [undefined, undefined],
])('finds the trace wherever it is (%o)', (details, trace) => {
  expect(refusalOf(answer(404, { errorCode: 0, message: 'Gone.', details })).trace).toBe(trace);
});

it.each([
  [answer(500, { errorCode: -1, message: '' }), '"errorCode":-1', 'registry.unavailable', 'retryable'],
  [
    answer(502, '<html><title>Bad <b>gateway</title>', 'text/html'),
    'a web page, Bad',
    'registry.unavailable',
    'retryable',
  ],
  [answer(404, '', 'text/plain'), 'no reason given', 'model.unknown', 'terminal'],
  [answer(403, 'Forbidden.', 'text/plain'), 'Forbidden; give the', 'registry.unavailable', 'retryable'],
  [answer(400, { message: 'Bad filter.', errorCode: 1 }), 'Bad filter; no retry', 'registry.unavailable', 'terminal'],
  [answer(409, { error: 'x', error_description: 'In words' }), 'In words', 'registry.unavailable', 'terminal'],
])('is one sentence, and a code of ours (%#)', (said, words, code, disposition) => {
  const error = refused('to do it', refusalOf(said));
  expect(error).toMatchObject({ code, disposition });
  expect(error.message).toMatch(/^SAS Viya \(SAS_URL\) refuses to do it \(\d{3}.*\): [^\n]*[^.]\.$/);
  expect(error.message).toContain(words);
});

it('compares times as instants, and takes a zero time for none', () => {
  expect(instant('2024-08-23T15:11:21.37381Z')).toBe(instant('2024-08-23T15:11:21.373Z'));
  expect(instant('2024-08-23T15:11:21Z')).toBe(Date.parse('2024-08-23T15:11:21.000Z'));
  for (const none of ['0001-01-01T00:00:00Z', '', undefined, null, 'yesterday']) expect(instant(none)).toBeUndefined();
});

it('takes states in whatever spelling', () => {
  expect(['In Progress', 'inProgress', 'IN-PROGRESS', 'in_progress'].map(stateOf)).toEqual(Array(4).fill('inprogress'));
  expect(stateOf(null)).toBe('');
});
