import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { isRoot, UNPRIVILEGED } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { freePort } from '../../harness/ports.ts';
import { until } from '../monitor/support.ts';

const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];
/** Where Debian and Red Hat keep them, each version in a folder of its own. */
const PLACES = ['/usr/lib/postgresql', '/usr/pgsql'];

/** A folder with a server and the dump programs of the same version; undefined where there is none. */
export function installedPostgres(): string | undefined {
  const versions = PLACES.filter((place) => existsSync(place)).flatMap((place) =>
    readdirSync(place).map((version) => join(place, version, 'bin')),
  );
  const all = [...(process.env['PATH'] ?? '').split(delimiter), ...versions.toSorted().toReversed()];
  return all.find((folder) => PROGRAMS.every((program) => existsSync(join(folder, program))));
}

export type InstalledPostgres = {
  /** Runs one of its programs; rejects with what it says when it fails. */
  run(program: 'pg_dump' | 'pg_restore', ...args: readonly string[]): Promise<string>;
  /** A new empty database, and its URL. */
  create(name: string): Promise<string>;
  readonly folder: string;
  stop(): Promise<void>;
};

/** A server from those programs, of the caller's own. */
export async function startInstalledPostgres(programs: string): Promise<InstalledPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-dump-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  const who = isRoot() ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  if (isRoot()) for (const one of [folder, data]) chownSync(one, UNPRIVILEGED, UNPRIVILEGED);
  const options = { ...who, cwd: folder, env: { PATH: process.env['PATH'] } };
  const exec = promisify(execFile);
  const run = async (program: string, ...args: readonly string[]) => {
    const { stdout, stderr } = await exec(join(programs, program), args, options);
    return stdout + stderr;
  };
  await run('initdb', '-D', data, '-U', 'fairway', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');
  const port = await freePort();
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-F'];
  const server = spawn(join(programs, 'postgres'), args, { ...options, stdio: 'ignore' });
  const url = (name: string) => `postgres://fairway@127.0.0.1:${port}/${name}`;
  const ask = async (sql: string) => {
    const client = new Client({ connectionString: url('postgres') });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await until('the server', 60, async () => (await ask('select 1').catch(() => false)) !== false || undefined);
  return {
    folder,
    run,
    create: async (name) => {
      await ask(`create database ${name}`);
      return url(name);
    },
    stop: async () => {
      server.kill('SIGINT');
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
