import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataPlace } from '../../packages/cli/src/stack/postgres/binaries.ts';
import { createDatabase, dropDatabase, startPostgresServer } from '../../packages/cli/src/stack/postgres/server.ts';
import { inject } from 'vitest';
import { freePort } from './ports.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

/** A fresh database on the run's own PostgreSQL (started once by `globalSetup`). `stop` drops it. */
export async function startPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(server, name);
  return { url, stop: () => dropDatabase(server, name) };
}

/** A PostgreSQL server of the caller's own, for tests that stop or kill it. */
export async function startOwnPostgres(): Promise<{
  url: string;
  pid: number;
  port: number;
  stop: () => Promise<void>;
}> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-test-pg-'));
  const port = await freePort();
  const server = await startPostgresServer({
    dataDir: join(dir, 'data'),
    port,
    password: randomBytes(12).toString('hex'),
  });
  const stop = async () => {
    await server.stop();
    rmSync(dataPlace(join(dir, 'data')), { recursive: true, force: true });
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: server.url, pid: server.pid, port, stop };
}
