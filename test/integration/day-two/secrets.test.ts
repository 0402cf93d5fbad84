import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { producer } from '../monitor/queue.ts';
import { cases, type Child, packsOf, startProcess, until } from '../monitor/support.ts';
import { startWorld } from '../writer/world.ts';
import { type Mounted, mountSecret } from './mounted.ts';

const SECOND = 'rotated-password-4711';
const PERIOD = { start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T06:00:00.000Z' };

let database: Awaited<ReturnType<typeof startPostgres>>;
let admin: Pool;
let writer: FakeWriter;
let folder: string;
/** Of the whole server: another for each try. */
let role: string;
const cleanups: Array<() => unknown> = [];

beforeEach(async () => {
  database = await startPostgres();
  admin = openTestPool(database.url);
  role = `fairway_rotated_${randomBytes(6).toString('hex')}`;
  await admin.query(`create role ${role} login superuser password 'first'`);
  writer = await startFakeWriter();
  folder = mkdtempSync(join(tmpdir(), 'fairway-secrets-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await admin.query(`reassign owned by ${role} to current_user`);
  await admin.query(`drop role ${role}`);
  await Promise.all([admin.end(), writer.stop()]);
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});

const as = (password: string, place: (url: URL) => void = () => {}): string => {
  const url = new URL(database.url);
  url.username = role;
  url.password = password;
  place(url);
  return url.href;
};

function mount(): Mounted {
  const secret = mountSecret({ DATABASE_URL: as('first'), MONITOR_TOKEN: 'first-monitor-token' });
  cleanups.push(secret.remove);
  return secret;
}

async function start(entry: 'main.ts' | 'recorder-main.ts', secret: Mounted): Promise<Child> {
  const own = entry === 'main.ts' ? { SNAPSHOT_DIR: folder } : { QUEUE_URL: database.url, QUEUE_PREFIX: 'rotated' };
  const child = await startProcess(entry, {
    ...secret.env,
    ...own,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
  });
  cleanups.push(child.kill);
  return child;
}

const ready = async ({ url }: Child) => (await fetch(`${url}/readyz`)).status;
const becomes = (child: Child, status: number) =>
  until(`an answer ${status}`, 60, async () => ((await ready(child)) === status ? true : undefined));

/**
 * Rotates as it is done: the password changes, and what is connected breaks sooner or later. A session that is still being opened has no
 * user yet and is left out, so sessions are ended until there are none and the process says that it cannot work.
 */
async function rotate(child: Child): Promise<void> {
  await admin.query(`alter role ${role} password '${SECOND}'`);
  await until('an answer 503 without a session', 60, async () => {
    const { rowCount } = await disconnect();
    return rowCount === 0 && (await ready(child)) === 503 ? true : undefined;
  });
}
const disconnect = () =>
  admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);

describe.each(['recorder-main.ts', 'main.ts'] as const)('a password of the database that is rotated (%s)', (entry) => {
  test('is taken from its file by the process that runs', async () => {
    const secret = mount();
    const child = await start(entry, secret);
    await becomes(child, 200);
    await rotate(child);
    secret.write({ DATABASE_URL: as(SECOND), MONITOR_TOKEN: 'first-monitor-token' });
    await until('the new login', 60, () => (child.log().includes('changed secrets are in use') ? true : undefined));
    await becomes(child, 200);
    expect(child.process.exitCode).toBeNull();
    expect(child.log()).not.toContain(SECOND);
  });
});

test('packs that came while the password was wrong are stored with the new one', async () => {
  const secret = mount();
  const child = await start('recorder-main.ts', secret);
  await becomes(child, 200);
  await rotate(child);
  const queue = producer(database.url, 'rotated');
  await queue.add(packsOf(cases(300, 7), PERIOD, 'rotated', '1', 100));
  await queue.close();
  await until('a pack that comes back', 60, () => (child.log().includes('it comes back') ? true : undefined));
  secret.write({ DATABASE_URL: as(SECOND), MONITOR_TOKEN: 'first-monitor-token' });
  await until('all packs', 60, async () => {
    const { rows } = await admin.query<{ n: number }>('select count(*)::int as n from monitoring.predictions');
    return rows[0]?.n === 300 ? true : undefined;
  });
});

const CHANGES: ReadonlyArray<readonly [string, () => Record<string, string>, string]> = [
  ['a token', () => ({ DATABASE_URL: as('first'), MONITOR_TOKEN: 'second-monitor-token' }), 'MONITOR_TOKEN'],
  [
    'another database',
    () => ({ DATABASE_URL: as('first', (url) => (url.pathname = '/elsewhere')), MONITOR_TOKEN: 'first-monitor-token' }),
    'DATABASE_URL',
  ],
];
test.each(CHANGES)('%s that changes ends the recorder in good order, to be started again', async (_, values, name) => {
  const secret = mount();
  const child = await start('recorder-main.ts', secret);
  const ended = once(child.process, 'close');
  secret.write(values());
  expect(await ended).toEqual([0, null]);
  expect(child.log()).toContain(`"settings":["${name}"],"msg":"secrets have changed, ending to start again with them"`);
});

test('what is no URL is told, without it, and the recorder goes on', async () => {
  const secret = mount();
  const child = await start('recorder-main.ts', secret);
  secret.write({ DATABASE_URL: 'my-secret-but-no-url', MONITOR_TOKEN: 'first-monitor-token' });
  await until('the sentence', 60, () => (child.log().includes('DATABASE_URL must be a URL') ? true : undefined));
  await becomes(child, 200);
  expect(child.log()).not.toContain('my-secret-but-no-url');
});

test("the forge's token or a webhook's secret that changes ends one writer, while another goes on", async () => {
  const world = await startWorld();
  cleanups.push(world.stop);
  const secret = mountSecret({ FORGE_TOKEN: world.env.FORGE_TOKEN, WEBHOOK_SECRET: 'first-webhook-secret' });
  cleanups.push(secret.remove);
  const { FORGE_TOKEN: _, WEBHOOK_SECRET: __, ...rest } = world.env;
  const second = await startWriter({ ...rest, ...secret.env, DATA_DIR: join(world.dir, 'second writer') });
  secret.write({ FORGE_TOKEN: world.env.FORGE_TOKEN, WEBHOOK_SECRET: 'second-webhook-secret' });
  await until('its end', 60, () => (isThere(second.pid) ? undefined : true));
  const told = 'secrets have changed, ending to start again with them';
  await until('its last words', 60, () => (second.output().includes(told) ? true : undefined));
  expect((await world.api('GET', '/v1/changes')).status).toBe(200);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
