import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { notificationsCommand } from '../../../packages/cli/src/commands/notifications.ts';

/** A service with an outbox: lists what it is given, and remembers what it was asked. */
async function startOutbox(listed: readonly object[], resent: readonly string[]) {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${Buffer.concat(chunks).toString('utf8')}`.trim());
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(request.method === 'GET' ? { notifications: listed } : { resent }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () => new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${port}`, asked, stop };
}

const dead = (deliveryId: string, at: string, title = 't') => ({
  deliveryId,
  channel: 'teams',
  event: 'alert',
  title,
  at,
  state: 'dead',
  attempts: 1,
  reason: 'The flow is gone (404).',
});

let writer: Awaited<ReturnType<typeof startOutbox>>;
let monitor: Awaited<ReturnType<typeof startOutbox>>;
let lines: string[];
beforeEach(async () => {
  writer = await startOutbox([dead('d-1', '2026-01-02T00:00:00.000Z')], []);
  monitor = await startOutbox([dead('card-1', '2026-01-03T00:00:00.000Z', 'evil \u001b[2J title')], ['card-1']);
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.stubEnv('FAIRWAY_WRITER_URL', writer.url);
  vi.stubEnv('FAIRWAY_WRITER_TOKEN', 'w');
  vi.stubEnv('FAIRWAY_MONITOR_URL', monitor.url);
  vi.stubEnv('FAIRWAY_MONITOR_TOKEN', 'm');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await Promise.all([writer.stop(), monitor.stop()]);
});
const run = (...args: string[]) => notificationsCommand().parseAsync(args, { from: 'user' });

it('lists what both services told, newest first, with the reason and no escape sequence', async () => {
  await run('--dead');
  expect([writer.asked, monitor.asked]).toEqual([
    ['GET /v1/notifications?state=dead'],
    ['GET /v1/notifications?state=dead'],
  ]);
  const [, first, second] = (lines[0] ?? '').split('\n');
  expect(first).toContain('card-1');
  expect(first).toContain('The flow is gone (404).');
  expect(first).not.toContain('\u001b');
  expect(second).toContain('d-1');
});

it('resends one by its id, or all, and says which', async () => {
  await run('resend', 'card-1');
  expect(lines).toEqual(['Sent again: card-1']);
  expect(monitor.asked).toEqual(['POST /v1/notifications/resend {"ids":["card-1"]}']);
  await run('resend', '--all');
  expect(writer.asked.at(-1)).toBe('POST /v1/notifications/resend {"all":true}');
});

it('refuses neither, both, and an id that nobody gave up', async () => {
  await expect(run('resend')).rejects.toThrow('--all');
  await expect(run('resend', 'card-1', '--all')).rejects.toThrow('--all');
  await monitor.stop();
  monitor = await startOutbox([], []);
  vi.stubEnv('FAIRWAY_MONITOR_URL', monitor.url);
  await expect(run('resend', 'nobody')).rejects.toThrow('No delivery nobody was given up');
});
