import type { EpochAccount } from '@fairway/monitor';
import { table } from './table.ts';

/** One agent process: captured = recorded + quarantined + sampledOut + dropped + inFlight + unexplained, in exchanges. */
export type EpochRow = Omit<EpochAccount, 'lastPackAt'>;
type Gap = {
  readonly agent: string;
  readonly epoch: string;
  readonly firstMissing: number;
  readonly lastMissing: number;
  readonly unexplained: number;
};
/** What the recorder answers. */
export type LedgerAccount = {
  readonly since: string | null;
  readonly epochs: readonly EpochRow[];
  readonly gaps: readonly Gap[];
  readonly labels: { readonly waiting: number; readonly expired: number };
};
/**
 * An agent that was asked: what it and the queue still hold of its epoch, and what it has still to send of killed ones;
 * undefined where it did not answer.
 */
export type Held = {
  readonly url: string;
  readonly epoch?: string;
  readonly inFlight?: number;
  readonly inherited?: number;
};
export type WholeAccount = LedgerAccount & { readonly unknown: readonly string[]; readonly asked: number };

/** Adds what agents still hold to their epochs, as captured and in flight. */
export function withAgents(ledger: LedgerAccount, agents: readonly Held[]): WholeAccount {
  const held = new Map(agents.flatMap(({ epoch, inFlight }) => (epoch === undefined ? [] : [[epoch, inFlight ?? 0]])));
  const known = new Set(ledger.epochs.map(({ epoch }) => epoch));
  const epochs = ledger.epochs.map((row) => grown(row, held.get(row.epoch) ?? 0));
  for (const [epoch, count] of held) {
    if (!known.has(epoch) && count > 0) epochs.push(grown({ ...NOTHING, epoch }, count));
  }
  const unknown = agents.filter(({ epoch }) => epoch === undefined).map(({ url }) => url);
  return { ...ledger, epochs, unknown, asked: agents.length };
}

const NOTHING: EpochRow = {
  model: '',
  agent: '',
  epoch: '',
  captured: 0,
  recorded: 0,
  predictions: 0,
  quarantined: 0,
  sampledOut: 0,
  dropped: {},
  inFlight: 0,
  unexplained: 0,
};

/** Numbers below the newest pack that are not there yet are on their way too, and counted already. */
function grown(row: EpochRow, held: number): EpochRow {
  const more = Math.max(0, held - row.inFlight);
  return { ...row, captured: row.captured + more, inFlight: row.inFlight + more };
}

/** Every captured exchange is accounted for. */
export const isWhole = ({ epochs }: LedgerAccount): boolean => epochs.every(({ unexplained }) => unexplained === 0);

const n = (count: number): string => count.toLocaleString('en-US');
const sum = (epochs: readonly EpochRow[], read: (row: EpochRow) => number): number =>
  epochs.reduce((total, row) => total + read(row), 0);
const lost = ({ dropped }: EpochRow): number => Object.values(dropped).reduce((total, count) => total + count, 0);

/** The account for a person: a line for each agent process, the gaps, and the sentence that it amounts to. */
export function accountLines(account: WholeAccount): string[] {
  const { epochs, gaps, labels, since } = account;
  if (epochs.length === 0) return [`Nothing was recorded since ${since ?? 'the beginning'}.`];
  const rows = epochs.map((row) => [
    row.model || '-',
    row.agent || '-',
    row.epoch.slice(0, 12),
    ...[row.captured, row.recorded, row.sampledOut, lost(row), row.quarantined, row.inFlight, row.unexplained].map(n),
  ]);
  const head = ['model', 'agent', 'epoch', 'captured', 'recorded', 'sampled out', 'dropped', 'quarantined'];
  const lines = [
    `Since ${since ?? 'the beginning'}, in calls:`,
    table([[...head, 'in flight', 'unexplained'], ...rows]),
  ];
  const reasons = droppedByReason(epochs);
  if (reasons !== '') lines.push(`Dropped: ${reasons}.`);
  for (const gap of gaps) lines.push(gapLine(gap));
  if (labels.waiting + labels.expired > 0) {
    lines.push(`Labels without a prediction: ${n(labels.waiting)} waiting, ${n(labels.expired)} given up.`);
  }
  return [...lines, inFlightLine(account), sentenceOf(epochs)];
}

function droppedByReason(epochs: readonly EpochRow[]): string {
  const totals = new Map<string, number>();
  for (const { dropped } of epochs) {
    for (const [reason, count] of Object.entries(dropped)) totals.set(reason, (totals.get(reason) ?? 0) + count);
  }
  return [...totals].map(([reason, count]) => `${n(count)} ${reason}`).join(', ');
}

const gapLine = ({ agent, epoch, firstMissing, lastMissing, unexplained }: Gap): string =>
  `Gap: ${agent} ${epoch.slice(0, 12)}, calls ${n(firstMissing)} to ${n(lastMissing)}: ${n(unexplained)} without a reason.`;

function inFlightLine({ asked, unknown }: WholeAccount): string {
  if (asked === 0) return 'What agents and the queue still hold is not known: no agent was asked (--agent URL).';
  if (unknown.length > 0) return `What they still hold is not known of ${unknown.join(', ')}: no answer.`;
  return `In flight is what ${asked === 1 ? 'the agent' : `${asked} agents`} and the queue still hold.`;
}

function sentenceOf(epochs: readonly EpochRow[]): string {
  const captured = sum(epochs, (row) => row.captured);
  const unexplained = sum(epochs, (row) => row.unexplained);
  const predictions = n(sum(epochs, (row) => row.predictions));
  if (unexplained > 0) {
    return `${n(unexplained)} of ${n(captured)} captured calls are lost without a counted reason; ${predictions} predictions are stored.`;
  }
  return `Every one of ${n(captured)} captured calls is accounted for; ${predictions} predictions are stored.`;
}
