import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../guards/source.ts';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { openTestPool, startPostgres } from '../../harness/postgres.ts';
import { eventually, spoolFolder, startAgent } from '../agent/agent.ts';
import { startModelServer } from '../agent/model-server.ts';
import { baseline, cases, MODEL, modelVersion, startProcess } from '../monitor/support.ts';

const PREFIX = 'before_test';
const CALLS = 40;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The packages of a commit, below this checkout so that they find what they import from the registry. */
function checkedOut(commit: string): string {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.cache', 'before-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const archive = execFileSync('git', ['archive', commit, 'packages'], { cwd: ROOT, maxBuffer: 256 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  const ours = join(folder, 'node_modules', '@fairway');
  mkdirSync(ours, { recursive: true });
  for (const name of readdirSync(join(folder, 'packages')))
    symlinkSync(join('..', '..', 'packages', name), join(ours, name));
  return folder;
}

/** A recorder from the sources of a commit, with a database and a queue of its own. */
async function recorderOf(commit: string) {
  const database = await startPostgres();
  ends.push(() => database.stop());
  const pool = openTestPool(database.url);
  ends.push(() => pool.end());
  const writer = await startFakeWriter();
  ends.push(() => writer.stop());
  writer.state.references.set(`${MODEL}/1`, {
    modelVersion: modelVersion('1'),
    baseline: baseline('1', cases(500, 1)),
  });
  const entry = join(checkedOut(commit), 'packages/monitor/src/recorder-main.ts');
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const env = {
    DATABASE_URL: database.url,
    QUEUE_URL: database.url,
    QUEUE_PREFIX: PREFIX,
    WRITER_URL: writer.url,
    WRITER_TOKEN: writer.token,
    MONITOR_TOKEN: 'monitor-test-token',
  };
  const child = await startProcess('recorder-main.ts', env, ['--conditions=source', '--import', tsx, entry]);
  ends.push(() => child.kill());
  return { pool, url: database.url, log: child.log };
}

const isHere = (commit: string): boolean =>
  spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT }).status === 0;

/** Nine migrations before today's; once there is a release, its tag takes the place. */
const BEFORE = '680f8e1';

// Agents live as long as their pods, so an upgrade that begins with them meets a recorder of before, which does not know what they say today.
describe(`the recorder of before (${BEFORE})`, () => {
  const here = isHere(BEFORE);
  if (!here) console.log(`Recorder of before: not run, commit ${BEFORE} is not in this clone's history.`);

  it.skipIf(!here)(
    'stores every call of an agent of today once (skipped where its commit is not there)',
    { timeout: 120_000 },
    async () => {
      const { pool, url, log } = await recorderOf(BEFORE);
      const model = await startModelServer();
      ends.push(() => model.stop());
      const spool = spoolFolder();
      ends.push(() => spool.remove());
      const agent = await startAgent({
        upstream: model.port,
        queueUrl: url,
        spool: spool.path,
        env: { QUEUE_PREFIX: PREFIX, FAIRWAY_MODEL: MODEL },
      });
      ends.push(() => agent.end('SIGKILL'));
      for (let n = 0; n < CALLS; n++) {
        const body = JSON.stringify({ instances: [{ income: [1000 + n], job: ['Office'] }] });
        const path = n % 2 === 0 ? `/v1/models/${MODEL}:predict` : `/v1/models/${MODEL}/versions/1:predict`;
        const headers = { 'content-type': 'application/json', 'x-request-id': `call-${n}` };
        expect((await fetch(`${agent.url}${path}`, { method: 'POST', body, headers })).status).toBe(200);
      }
      expect(await agent.end('SIGTERM')).toBe(0);
      const of = async (sql: string) => (await pool.query<{ n: number }>(`select ${sql}::int as n`)).rows[0]?.n ?? 0;
      await eventually(async () => (await of('(select count(*) from monitoring.predictions)')) === CALLS).catch(
        (error: unknown) => {
          throw new Error(`not recorded: ${log()}`, { cause: error });
        },
      );
      expect(await of('(select count(distinct correlation_id) from monitoring.predictions)')).toBe(CALLS);
      expect(await of('(select count(*) from monitoring.quarantined_packs)')).toBe(0);
      const account = await pool.query(
        'select captured::int, recorded::int, unexplained::int from monitoring.account()',
      );
      expect(account.rows).toEqual([{ captured: CALLS, recorded: CALLS, unexplained: 0 }]);
    },
  );
});
