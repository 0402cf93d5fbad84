import { Pool } from 'pg';
import type { Pack } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { figuresOf } from '../../../packages/monitor/src/app/account.ts';
import { ledgerAccount } from '../../../packages/monitor/src/store/account-store.ts';
import { migrate } from '../../../packages/monitor/src/store/migrate.ts';
import { startPostgres } from '../../harness/postgres.ts';

let database: Awaited<ReturnType<typeof startPostgres>>;
let pool: Pool;

beforeAll(async () => {
  database = await startPostgres();
  pool = new Pool({ connectionString: database.url });
  await migrate(pool);
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});
beforeEach(() => pool.query('truncate monitoring.packs cascade'));

type Row = Pick<Pack, 'first' | 'last' | 'dropped'> & { agent?: string; quarantined?: number; minutesAgo?: number };

/** Ledger rows as the recorder writes them. */
async function ledger(...rows: Row[]): Promise<void> {
  for (const { first, last, dropped, agent = 'pod-1', quarantined = 0, minutesAgo = 60 } of rows) {
    const exchanges = last - first + 1;
    await pool.query(
      `insert into monitoring.packs (pack_id, agent, epoch, first, last, model, exchanges, stored, quarantined, dropped, recorded_at)
      values ($1, $2, 'e1', $3, $4, 'loans', $5, $6, $7, $8, now() - $9 * interval '1 minute')`,
      [
        `${agent}-${first}`,
        agent,
        first,
        last,
        exchanges,
        (exchanges - quarantined) * 2,
        quarantined,
        JSON.stringify(dropped),
        minutesAgo,
      ],
    );
  }
}

const all = () => ledgerAccount(pool)(undefined, undefined);
const balanced = async () => {
  const { epochs } = await all();
  for (const { captured, recorded, quarantined, sampledOut, dropped, inFlight, unexplained } of epochs) {
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(captured).toBe(recorded + quarantined + sampledOut + lost + inFlight + unexplained);
  }
  return epochs;
};

describe('the ledger as an account', () => {
  test('adds up: recorded, quarantined, sampled out, dropped by reason', async () => {
    await ledger(
      { first: 1, last: 100, dropped: { sampled_out: 40 }, quarantined: 3 },
      { first: 131, last: 200, dropped: { spool_full: 20, ring_full: 10, sampled_out: 90 } },
    );
    expect(await balanced()).toMatchObject([
      {
        model: 'loans',
        agent: 'pod-1',
        captured: 290,
        recorded: 167,
        predictions: 334,
        quarantined: 3,
        sampledOut: 90,
        dropped: { spool_full: 20, ring_full: 10 },
        inFlight: 0,
        unexplained: 0,
      },
    ]);
    expect((await all()).gaps).toEqual([]);
  });

  test('shows a gap that no counted loss explains, and only that one', async () => {
    await ledger(
      { first: 1, last: 100, dropped: {} },
      { first: 111, last: 200, dropped: { ring_full: 10 } },
      { first: 206, last: 300, dropped: { ring_full: 10 } },
    );
    const { gaps } = await all();
    expect(gaps).toMatchObject([{ agent: 'pod-1', epoch: 'e1', firstMissing: 201, lastMissing: 205, unexplained: 5 }]);
    expect(await balanced()).toMatchObject([{ captured: 300, recorded: 285, unexplained: 5, inFlight: 0 }]);
    const { rows } = await pool.query(
      'select first_missing::int as first, last_missing::int as last, explained from monitoring.gaps order by 1',
    );
    expect(rows).toEqual([
      { first: 101, last: 110, explained: true },
      { first: 201, last: 205, explained: false },
    ]);
  });

  test('calls what a pack before the newest may still bring in flight, for two minutes', async () => {
    await ledger({ first: 1, last: 100, dropped: {} }, { first: 201, last: 300, dropped: {}, minutesAgo: 0 });
    expect(await balanced()).toMatchObject([{ captured: 300, inFlight: 100, unexplained: 0 }]);
    await ledger({ first: 101, last: 200, dropped: {}, minutesAgo: 0 });
    expect(await balanced()).toMatchObject([{ captured: 300, recorded: 300, inFlight: 0, unexplained: 0 }]);
  });

  test('knows losses that were counted before their gap is complete', async () => {
    await ledger({ first: 1, last: 100, dropped: { spool_full: 50 } });
    expect(await balanced()).toMatchObject([{ captured: 150, dropped: { spool_full: 50 }, unexplained: 0 }]);
    await ledger({ first: 151, last: 160, dropped: { spool_full: 50 } });
    expect(await balanced()).toMatchObject([{ captured: 160, dropped: { spool_full: 50 }, unexplained: 0 }]);
  });

  test('of a period holds what came in it', async () => {
    await ledger(
      { first: 1, last: 100, dropped: { ring_full: 5, sampled_out: 10 }, minutesAgo: 180 },
      { first: 106, last: 200, dropped: { ring_full: 5, sampled_out: 10 }, minutesAgo: 90 },
      { first: 221, last: 300, dropped: { ring_full: 25, sampled_out: 30 }, minutesAgo: 10 },
      { first: 1, last: 7, dropped: {}, agent: 'pod-2', minutesAgo: 400 },
    );
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const { epochs } = await ledgerAccount(pool)(since, 'loans');
    expect(epochs).toMatchObject([
      { agent: 'pod-1', captured: 120, recorded: 80, sampledOut: 20, dropped: { ring_full: 20 }, unexplained: 0 },
    ]);
    expect((await ledgerAccount(pool)(since, 'other')).epochs).toEqual([]);
    expect(figuresOf(epochs, { waiting: 0, expired: 0 }).parts).toEqual({
      captured: 120,
      recorded: 80,
      quarantined: 0,
      sampled_out: 20,
      dropped: 20,
      in_flight: 0,
      unexplained: 0,
    });
  });
});
