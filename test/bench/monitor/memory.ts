import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { freePort } from '../../harness/ports.ts';
import { startProcess, until } from '../../integration/monitor/support.ts';
import { peakMb, RESIDENT_MB } from '../resident.ts';
import { atMost, type Result } from '../result.ts';
import { shipped } from '../shipped.ts';
import { BASELINE, dirty, fill, HOUR, policyOf, settle, versionOf } from './judge.ts';

const MODELS = 1000;

/** The monitor as it ships, while it judges a closed hour of a thousand models and shows them: how much it comes to hold. */
export async function monitorMemory(): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-monitor-'));
  const stops: Array<() => unknown> = [() => rmSync(dir, { recursive: true, force: true })];
  try {
    const dataDir = join(dir, 'data');
    stops.push(() => rmSync(dataPlace(dataDir), { recursive: true, force: true }));
    const server = await startPostgresServer({ dataDir, port: await freePort(), password: 'bench' });
    stops.push(() => server.stop());
    const pool = new Pool({ connectionString: server.url, max: 2 });
    stops.push(() => pool.end());
    await migrate(pool);
    await pool.query('set synchronous_commit = off; select setseed(0.5)');
    const writer = await startFakeWriter();
    stops.push(() => writer.stop());
    const models = Array.from({ length: MODELS }, (_, index) => `model-${index}`);
    for (const model of models) {
      writer.state.references.set(`${model}/1`, { modelVersion: versionOf(model), baseline: { ...BASELINE, model } });
      writer.state.policies.set(model, { blob: 'b10b', text: policyOf('hour', model) });
    }
    await fill(pool, 'model-0', [HOUR], 1000);
    await copied(pool);
    await settle(pool);
    const env = {
      DATABASE_URL: server.url,
      WRITER_URL: writer.url,
      WRITER_TOKEN: writer.token,
      MONITOR_TOKEN: 'bench-token',
      SNAPSHOT_DIR: dir,
      SETTLE_MS: '200',
    };
    const monitor = await startProcess('main.ts', env, await shipped('monitor', join(dir, 'image')));
    stops.push(() => monitor.stop());
    await dirty(pool, models, [HOUR]);
    await until('all verdicts', 600, async () => {
      for (const path of ['/', `/models/model-7`, '/metrics']) await (await fetch(`${monitor.url}${path}`)).text();
      const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from monitoring.verdicts');
      return rows[0]?.n === MODELS ? true : undefined;
    });
    const note = `largest resident set while ${MODELS} models are judged and shown`;
    return [atMost('monitor-resident', peakMb(monitor.process.pid as number), 'MB', RESIDENT_MB.monitor, note)];
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** The counts of the first model for all others, too. */
async function copied(pool: Pool): Promise<void> {
  for (const [table, cell] of [
    ['score_counts', 'bin, label'],
    ['profile_counts', 'variable, bin'],
  ])
    await pool.query(
      `insert into monitoring.${table} (model, version, environment, hour, ${cell}, count)
       select 'model-' || n, version, environment, hour, ${cell}, count
       from monitoring.${table} cross join generate_series(1, $1::int) n where model = 'model-0'`,
      [MODELS - 1],
    );
}
