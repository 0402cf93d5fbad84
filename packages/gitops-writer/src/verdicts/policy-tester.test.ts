import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { monitorPolicyTester } from './policy-tester.ts';

/** What a test becomes that is answered so. */
async function tested(status: number, body: string, headers: Record<string, string> = {}) {
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await monitorPolicyTester(`${url}/`, 'secret-token').test('m', 'rules: []', new AbortController().signal);
  } finally {
    server.close();
  }
}
const JSON_TYPE = { 'content-type': 'application/json' };

it('tells each rule of a window once, and whether it opens', async () => {
  const window = { version: '1', environment: 'prod', period: '2026Q1', rows: 900, state: 'alert', retrain: 'opened' };
  const answer = {
    windows: [{ ...window, findings: [{ rule: 'psi' }, { rule: 'psi' }] }],
    problems: [],
    summary: 'One.',
  };
  const { retrain: _, ...kept } = window;
  expect(await tested(200, JSON.stringify(answer), JSON_TYPE)).toEqual({
    kind: 'tested',
    windows: [{ ...kept, rules: ['psi'], opens: true }],
    problems: [],
    summary: 'One.',
  });
});

it.each([
  ['policy.invalid', 'refused'],
  ['model.unknown', 'untested'],
])('takes %s for a policy that is %s', async (code, kind) => {
  const problem = JSON.stringify({ code, detail: 'Because.' });
  expect(await tested(400, problem, JSON_TYPE)).toEqual({ kind, reason: 'Because.' });
});

it.each([
  [200, '<html>sign in</html>', 'its answer is not that of a back-test'],
  [200, '{"windows":[]}', 'its answer is not that of a back-test'],
  [302, '', 'status 302'],
  [401, '{}', 'status 401'],
])('says in one sentence that it cannot be told by an answer of %i %s', async (status, body, why) => {
  await expect(tested(status, body, { ...JSON_TYPE, location: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
    code: 'monitor.unavailable',
    message: expect.stringMatching(
      `^The monitor at http://[^ ]+ does not test policies \\(${why}\\); check MONITOR_URL`,
    ),
  });
});
