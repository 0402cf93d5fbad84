import { type Clock, FairwayError, type GroundTruth, type Pack, pause, redact, urlOrigin } from '@fairway/core';
import { patientJson } from '../stack/http.ts';
import type { OnProgress } from './import-check.ts';
import { AGENT, calls, type History, packs } from './import-exchanges.ts';

/** What the recorder's ledger holds of one import. */
export type EpochAccount = { readonly packs: number; readonly stored: number; readonly quarantined: number };

/** What became of labels, as the recorder says it; `reason`: of the first that it refused. */
export type LabelCounts = {
  joined: number;
  early: number;
  unchanged: number;
  corrected: number;
  refused: number;
  reason?: string;
};

export type Ports = {
  readonly queue: { add(pack: Pack): Promise<void> };
  readonly queueUrl: string;
  readonly recorder: string;
  readonly token: string;
  readonly clock: Clock;
};

/** Packs in the queue that wait for the recorder: a few MB of Redis' memory, whatever the size of the file. */
const MOST_WAITING = 100;
const QUEUE_PATIENCE_MS = 30_000;
/** The recorder may restart; a pack that it cannot record now comes back within 30 s. */
const RECORDER_PATIENCE_MS = 120_000;
const LABELS_PER_REQUEST = 5000;
const AGAIN = 'Run the same import again later: what is stored already stays stored once.';

export const epochAccount = ({ recorder, token }: Ports, epoch: string): Promise<EpochAccount> =>
  patientJson('The recorder', `${recorder}/v1/epochs/${AGENT}/${epoch}`, { token });

/** Sends all packs of a file and waits until the ledger has each of them; answers what is stored of it. */
export async function sendRows(
  history: History,
  ports: Ports,
  onProgress: OnProgress,
): Promise<EpochAccount & { readonly sent: number }> {
  const what = `sending ${history.source.file}`;
  let sent = 0;
  let count = 0;
  for await (const { pack, rows } of packs(history)) {
    if (count >= MOST_WAITING) await untilRecorded(history, ports, count - MOST_WAITING + 1);
    await add(ports, pack);
    count++;
    sent += rows;
    onProgress(what, sent, history.rows);
  }
  return { ...(await untilRecorded(history, ports, count)), sent };
}

/** Tries for a while; an add whose answer was lost is repeated under the same job id. */
async function add({ queue, queueUrl, clock }: Ports, pack: Pack): Promise<void> {
  const deadline = clock.now() + QUEUE_PATIENCE_MS;
  for (;;) {
    try {
      return await queue.add(pack);
    } catch (error) {
      if (clock.now() > deadline) {
        const reason = redact((error as Error).message);
        throw new FairwayError(
          'queue.unavailable',
          `The queue at ${urlOrigin(queueUrl)} takes no packs (${reason}). ${AGAIN}`,
        );
      }
    }
    await pause(500);
  }
}

async function untilRecorded({ epoch }: History, ports: Ports, wanted: number): Promise<EpochAccount> {
  let known = -1;
  let since = ports.clock.now();
  for (;;) {
    const account = await epochAccount(ports, epoch);
    if (account.packs >= wanted) return account;
    if (account.packs !== known) since = ports.clock.now();
    else if (ports.clock.now() - since > RECORDER_PATIENCE_MS) {
      const stuck = `The recorder has ${account.packs} of ${wanted} packs, and for 2 minutes no new one`;
      const mend = `see its log, and whether it reads the queue at ${urlOrigin(ports.queueUrl)} under the same prefix`;
      throw new FairwayError('queue.unavailable', `${stuck}: ${mend}. ${AGAIN}`);
    }
    known = account.packs;
    await pause(100);
  }
}

/** Sends the labels of a file whose rows are stored. Labels that come again change nothing. */
export async function sendLabels(
  history: History,
  total: number,
  ports: Ports,
  onProgress: OnProgress,
): Promise<LabelCounts> {
  const counts: LabelCounts = { joined: 0, early: 0, unchanged: 0, corrected: 0, refused: 0 };
  let batch: GroundTruth[] = [];
  let sent = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    addUp(counts, await post(ports, batch));
    sent += batch.length;
    batch = [];
    onProgress(`labels of ${history.source.file}`, sent, total);
  };
  for await (const { labels } of calls(history)) {
    batch.push(...labels);
    if (batch.length >= LABELS_PER_REQUEST) await flush();
  }
  await flush();
  return counts;
}

type Answer = Omit<LabelCounts, 'refused' | 'reason'> & {
  readonly refused: ReadonlyArray<{ readonly reason: string }>;
  readonly refusedTotal: number;
};

const post = ({ recorder, token }: Ports, labels: readonly GroundTruth[]): Promise<Answer> =>
  patientJson('The recorder', `${recorder}/v1/labels`, {
    token,
    body: labels.map((label) => JSON.stringify(label)).join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
    timeoutMs: 60_000,
  });

function addUp(counts: LabelCounts, answer: Answer): void {
  for (const key of ['joined', 'early', 'unchanged', 'corrected'] as const) counts[key] += answer[key];
  counts.refused += answer.refusedTotal;
  const [first] = answer.refused;
  if (first !== undefined) counts.reason ??= first.reason;
}
