import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { FairwayError, pause, sha256 } from '@fairway/core';
import pg from 'pg';
import { tieToUs } from '../tied.ts';
import { dataPlace, isRoot, postgresHome, UNPRIVILEGED } from './binaries.ts';

export type PostgresOptions = {
  /** Made by initdb when it does not exist. */
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  /** Called when the server ends without having been asked to. */
  readonly onExit?: (reason: string) => void;
};

export type PostgresServer = { readonly url: string; readonly pid: number; stop(): Promise<void> };

const HOST = '127.0.0.1';
const USER = 'fairway';
const DATABASE = 'fairway';

/** Connection URL of the embedded server's own database. */
export const postgresUrl = (port: number, password: string): string =>
  `postgres://${USER}:${password}@${HOST}:${port}/${DATABASE}`;

/**
 * Starts a real PostgreSQL on loopback, making its data folder and database on first use. It ends with us. A server that a
 * killed stack left behind on the same folder is stopped first.
 */
export async function startPostgresServer(wanted: PostgresOptions): Promise<PostgresServer> {
  const home = postgresHome();
  const options = { ...wanted, dataDir: dataPlace(wanted.dataDir) };
  if (!existsSync(join(options.dataDir, 'PG_VERSION'))) initialise(home, options);
  await stopLeftover(options.dataDir);
  const child = launch(home, options);
  tieToUs(child, 'SIGINT');
  let stopping = false;
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2000)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('exit', () => stopping || options.onExit?.(lastLine(output)));
  try {
    await untilReady(options, child, () => output);
  } catch (error) {
    stopping = true;
    child.kill('SIGINT');
    throw error;
  }
  const stop = async () => {
    stopping = true;
    child.kill('SIGINT');
    await exited;
  };
  return { url: postgresUrl(options.port, options.password), pid: child.pid as number, stop };
}

const unprivileged = () => (isRoot() ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {});

function initialise(home: string, { dataDir, password }: PostgresOptions): void {
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = join(tmpdir(), `fairway-${randomUUID()}`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (isRoot()) {
    chownSync(dataDir, UNPRIVILEGED, UNPRIVILEGED);
    chownSync(passwordFile, UNPRIVILEGED, UNPRIVILEGED);
  }
  const args = ['-D', dataDir, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const result = spawnSync(
    join(home, 'bin', 'initdb'),
    [...args, '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...unprivileged(), cwd: dirname(dataDir), env: { PATH: process.env.PATH, LC_ALL: 'C' }, encoding: 'utf8' },
  );
  rmSync(passwordFile, { force: true });
  if (result.status === 0) return;
  rmSync(dataDir, { recursive: true, force: true });
  const reason = lastLine(result.stderr ?? '') || result.error?.message || `exit code ${result.status}`;
  throw new FairwayError('stack.failed', `PostgreSQL could not make its data folder ${dataDir}: ${reason}.`);
}

function launch(home: string, { dataDir, port }: PostgresOptions): ChildProcess {
  const settings = [
    `listen_addresses=${HOST}`,
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=64MB',
    'log_min_messages=fatal',
    'log_timezone=UTC',
    'timezone=UTC',
  ];
  return spawn(
    join(home, 'bin', 'postgres'),
    ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])],
    // The server's own process group: a Ctrl-C in the terminal must not stop it before its clients.
    { ...unprivileged(), cwd: dataDir, env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
}

async function untilReady(options: PostgresOptions, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw startFailure(options, output());
    const problem = await ensureDatabase(options);
    if (problem === undefined) return;
    if (Date.now() > deadline) throw startFailure(options, problem);
    await pause(50);
  }
}

function startFailure({ port }: PostgresOptions, reason: string): FairwayError {
  return /could not (bind|create any TCP)/.test(reason) && /in use/.test(reason)
    ? new FairwayError('port.taken', `Port ${port} is taken: stop what listens there or choose another port.`)
    : new FairwayError('stack.failed', `PostgreSQL did not start on port ${port}: ${lastLine(reason)}`);
}

/** undefined when the database answers; else the reason why not yet. */
async function ensureDatabase({ port, password }: PostgresOptions): Promise<string | undefined> {
  const client = new pg.Client({ host: HOST, port, user: USER, password, database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A postmaster that outlived its stack still holds the data folder: fast shutdown, and wait for it. */
async function stopLeftover(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isPostgresOn(pid, dataDir)) return;
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It has ended meanwhile: the process that started it is gone, too.
  }
  for (let i = 0; i < 200 && isPostgresOn(pid, dataDir); i++) await pause(50);
}

function isPostgresOn(pid: number, dataDir: string): boolean {
  const args = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  if (args.error === undefined) return args.stdout.includes(dataDir);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataDir);
  } catch {
    return false;
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** A database of its own on a server we were given, so that two stacks on one server do not meet. */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end().catch(() => {});
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Drops a database made by {@link createDatabase}, ending its sessions. */
export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Database name for a stack folder: stable, so that `fairway up` finds its data again. */
export const databaseName = (stackDir: string): string => `fairway_${sha256(stackDir).slice(0, 12)}`;
