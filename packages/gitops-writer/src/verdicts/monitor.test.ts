import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { monitorVerdicts } from './monitor.ts';

async function asked(status: number, body: string) {
  const headers = { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' };
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await monitorVerdicts(url, 'secret-token').inAlert('m', '2', 'prod');
  } finally {
    server.close();
  }
}
const windows = (...states: Array<readonly [version: string, state: string]>) =>
  JSON.stringify({ windows: states.map(([version, state]) => ({ state, window: { version, period: '2026Q1' } })) });

it('asks the newest window of the version alone', async () => {
  expect(await asked(200, windows(['2', 'healthy'], ['2', 'alert'], ['1', 'healthy']))).toBe(
    'm 2 is in alert in prod for 2026Q1',
  );
  expect(await asked(200, windows(['2', 'alert'], ['2', 'healthy'], ['1', 'alert']))).toBeUndefined();
  expect(await asked(200, windows())).toBeUndefined();
});

it.each([
  [200, '<html>sign in</html>', 'its answer has no windows'],
  [302, '', 'status code 302'],
  [401, '{}', 'status code 401'],
])('knows nothing by an answer of %i %s, and says so', async (status, body, why) => {
  await expect(asked(status, body)).rejects.toMatchObject({
    code: 'monitor.unavailable',
    message: expect.stringMatching(`does not say how a version does \\(.*${why}\\); check MONITOR_URL`),
  });
});
