import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Supervisor, supervisor } from '../../../packages/cli/src/stack/supervisor.ts';
import { freePort } from '../../harness/ports.ts';

let dir: string;
let processes: Supervisor;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-supervisor-'));
  mkdirSync(join(dir, 'logs'));
  processes = supervisor(join(dir, 'logs'), () => {});
});
afterEach(async () => {
  await processes.stop();
  rmSync(dir, { recursive: true, force: true });
});

function program(name: string, source: string): string {
  const file = join(dir, name);
  writeFileSync(file, source);
  return file;
}

const SERVER = `import { createServer } from 'node:http';
createServer((_, response) => response.end(String(process.pid))).listen(Number(process.env.PORT), '127.0.0.1');
process.on('disconnect', () => process.exit(0));`;

test('a process that is killed is started again at the same place', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await processes.start({
    name: 'web',
    entry: program('web.mjs', SERVER),
    env: { PORT: String(port) },
    url,
    readyUrl: url,
  });
  const first = processes.list()[0]?.pid as number;
  expect(await (await fetch(url)).text()).toBe(String(first));
  process.kill(first, 'SIGKILL');
  const answer = () =>
    fetch(url, { headers: { connection: 'close' } })
      .then((r) => r.text())
      .catch(() => '');
  await expect.poll(answer, { timeout: 60_000 }).toMatch(/^\d+$/);
  expect(processes.list()[0]?.pid).not.toBe(first);
});

test('a process that cannot start is reported with its own reason and not tried for ever', async () => {
  const entry = program(
    'bad.mjs',
    `console.log(JSON.stringify({ level: 'error', reason: 'The port is taken.' })); process.exit(1);`,
  );
  await expect(processes.start({ name: 'bad', entry, env: {}, url: '' })).rejects.toThrow(
    /^The bad process ended: The port is taken\. Its log is .*bad\.log\.$/,
  );
  expect(processes.list()).toEqual([]);
});

test('all are stopped in reverse order, also one that ignores SIGTERM for a while', async () => {
  const order = join(dir, 'order');
  const source = `import { appendFileSync } from 'node:fs';
process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(order)}, process.env.NAME); process.exit(0); });
setInterval(() => {}, 1000); process.send({ ready: true });`;
  for (const NAME of ['a', 'b', 'c'])
    await processes.start({ name: NAME, entry: program(`${NAME}.mjs`, source), env: { NAME }, url: '' });
  await processes.stop();
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(order, 'utf8')).toBe('cba');
});
