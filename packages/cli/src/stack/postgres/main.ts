/** The embedded stack's database process: a real PostgreSQL that stops with its parent. */
import { integer, lifecycle, readEnv, runService, silentLogger, text } from '@fairway/core';
import { startPostgresServer, type PostgresServer } from './server.ts';

const env = readEnv(process.env, {
  DATA_DIR: text('folder of the database'),
  PORT: integer('port on loopback', { min: 1, max: 65_535 }),
  PASSWORD: text('password of the database user'),
});
const log = { ...silentLogger, error: (fields: object) => console.error(JSON.stringify(fields)) };
let server: PostgresServer | undefined;
const onExit = (reason: string) => {
  log.error({ reason });
  process.exit(1);
};
const database = {
  name: 'postgres',
  start: async () => {
    server = await startPostgresServer({ dataDir: env.DATA_DIR, port: env.PORT, password: env.PASSWORD, onExit });
    process.send?.({ ready: true });
  },
  stop: () => server?.stop(),
};
await runService(lifecycle([database], silentLogger, 30_000), log, process, false);
