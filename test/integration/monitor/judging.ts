import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Verdict } from '@fairway/core';
import type { Pool } from 'pg';
import { type FakeChannel, startFakeChannel } from '../../harness/fake-channel.ts';
import { type FakeWriter, startFakeWriter } from '../../harness/fake-writer.ts';
import { startMonitoring } from './database.ts';
import { baseline, cases, type Child, modelVersion, MODEL, startProcess } from './support.ts';

export const REFERENCE = { modelVersion: modelVersion('1'), baseline: baseline('1', cases(3000, 1)) };
const MONITOR_TOKEN = 'monitor-test-token';

export type Judging = {
  /** Of the database that every monitor here works on. */
  readonly url: string;
  readonly pool: Pool;
  readonly writer: FakeWriter;
  readonly channel: FakeChannel;
  readonly webhook: FakeChannel;
  /** The folder that snapshots go to. */
  readonly snapshots: string;
  /** One more monitor, started as the product does. */
  readonly monitor: () => Promise<Child>;
  /** The newest verdict on each window, as a monitor answers them. */
  readonly verdicts: (of: Child) => Promise<Verdict[]>;
  /** True once there is nothing that has to leave, else undefined. */
  readonly settled: () => Promise<true | undefined>;
  readonly stop: () => Promise<void>;
};

/** What monitors need to judge the model `loans` in `prod` by a policy: a database, a writer that knows version 1, two channels. */
export async function startJudging(policy: string): Promise<Judging> {
  const { url, pool, stop: drop } = await startMonitoring();
  const [writer, channel, webhook] = [await startFakeWriter(), await startFakeChannel(), await startFakeChannel()];
  writer.state.references.set(`${MODEL}/1`, REFERENCE);
  writer.state.policies.set(MODEL, { blob: 'b10b', text: policy });
  writer.state.models = [
    { model: MODEL, owner: 'o', environments: [{ name: 'prod', namespace: 'n', application: 'a', merge: 'review' }] },
  ];
  const snapshots = mkdtempSync(join(tmpdir(), 'fairway-snapshots-'));
  const children: Child[] = [];
  const monitor = async () => {
    const child = await startProcess('main.ts', {
      DATABASE_URL: url,
      WRITER_URL: writer.url,
      WRITER_TOKEN: writer.token,
      MONITOR_TOKEN,
      SNAPSHOT_DIR: snapshots,
      TEAMS_WEBHOOK_URL: channel.url,
      NOTIFY_WEBHOOK_URL: webhook.url,
      NOTIFY_WEBHOOK_SECRET: 'a secret of some length',
      DASHBOARD_URL: 'http://dashboard.test',
      SETTLE_MS: '200',
    });
    children.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of children) await child.kill();
    await Promise.all([writer.stop(), channel.stop(), webhook.stop()]);
    await drop();
    rmSync(snapshots, { recursive: true, force: true });
  };
  return { url, pool, writer, channel, webhook, snapshots, monitor, verdicts, settled: () => settled(pool), stop };
}

async function verdicts({ url }: Child): Promise<Verdict[]> {
  const answer = await fetch(`${url}/v1/windows?model=${MODEL}`, {
    headers: { authorization: `Bearer ${MONITOR_TOKEN}` },
  });
  return ((await answer.json()) as { windows: Verdict[] }).windows;
}

const OPEN =
  "select 1 from monitoring.outbox where state <> 'accepted' union all select 1 from monitoring.deliveries where state <> 'accepted'";

const settled = async (pool: Pool): Promise<true | undefined> =>
  (await pool.query(OPEN)).rowCount === 0 ? true : undefined;
