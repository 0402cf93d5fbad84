import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { encodeExchange, type Pack, silentLogger } from '@fairway/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toPack } from '../../../packages/log-sidecar/src/pump/encode.ts';
import { FileSpool } from '../../../packages/log-sidecar/src/spool/spool.ts';
import { createTally } from '../../../packages/log-sidecar/src/tally.ts';
import { figuresOf } from '../../../packages/monitor/src/app/account.ts';
import { recordPack } from '../../../packages/monitor/src/app/record-pack.ts';
import { accountTotals, ledgerAccount } from '../../../packages/monitor/src/store/account-store.ts';
import { packStore } from '../../../packages/monitor/src/store/pack-store.ts';
import { type Monitoring, startMonitoring } from './database.ts';
import { cases, exchange, MODEL, pack } from './support.ts';

let database: Monitoring;
let pool: Pool;

beforeAll(async () => {
  database = await startMonitoring();
  ({ pool } = database);
});
afterAll(() => database.stop());
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

  test('of a model holds what a killed agent of it had in memory, and no call of another name', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairway-account-'));
    const clock = { now: () => 0, monotonic: () => 0 };
    const parts = { clock, tally: createTally(), log: silentLogger, onReady: () => {} };
    const BOUNDS = { segmentBytes: 1e9, maxAge: 1e9 };
    const of = (epoch: string) => ({
      directory,
      agent: 'pod-1',
      epoch,
      model: MODEL,
      diskCap: 1e9,
      memoryCap: 1e9,
      ...BOUNDS,
    });
    const killed = new FileSpool({ ...of('e1'), synced: false }, parts);
    killed.start();
    const shot = exchange({ id: 'of-another-name', rows: cases(1, 1), time: '2025-01-01T00:00:00.000Z' }, 1);
    const asked = { ...shot, head: { ...shot.head, model: 'mistaken' } };
    killed.offer({ seq: 1, bytes: encodeExchange(asked), span: undefined });
    killed.commit({ high: 9, taken: 1, dropped: {} });

    const heir = new FileSpool({ ...of('e2'), synced: false }, parts);
    heir.start();
    const needs = { store: packStore(pool), references: async () => undefined, log: silentLogger };
    const send = async (spool: FileSpool): Promise<void> => {
      for (const pack of spool.unsettled()) spool.settle(pack, { versions: [], dropped: pack.earlierDropped ?? {} });
      await expect.poll(() => spool.next()).toBeDefined();
      for (let pack = spool.next(); pack; pack = spool.next()) {
        await recordPack(needs, toPack(pack, await spool.read(pack)));
        spool.done(pack);
      }
    };
    await send(heir);
    await heir.stop();
    rmSync(directory, { recursive: true });
    expect(await accountTotals(pool)(MODEL)).toMatchObject({ packs: 2, exchanges: 1, dropped: { killed: 8 } });
    expect(await accountTotals(pool)('mistaken')).toMatchObject({ packs: 0, dropped: {} });
    const { epochs, gaps } = await ledgerAccount(pool)(undefined, MODEL);
    expect(epochs).toMatchObject([{ epoch: 'e1', captured: 9, recorded: 1, dropped: { killed: 8 }, unexplained: 0 }]);
    expect([gaps, (await ledgerAccount(pool)(undefined, '')).epochs]).toEqual([[], []]);
  });

  test('of what agents recorded that did not say their model goes by the first call of each pack', async () => {
    const needs = { store: packStore(pool), references: async () => undefined, log: silentLogger };
    const shot = exchange({ id: 'old-agent', rows: cases(1, 1), time: '2025-01-01T00:00:00.000Z' }, 1);
    await recordPack(needs, pack([shot], 1));
    expect(await accountTotals(pool)(MODEL)).toMatchObject({ packs: 1, exchanges: 1 });
  });
});
