import { type Clock, iso } from '@fairway/core';
import type { EpochAccount, LabelStore, WaitingLabels } from '../ports.ts';

/** The account as `/metrics` shows it: exchanges by what became of them, dropped ones by reason too. */
export type AccountFigures = {
  readonly parts: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
  readonly labels: WaitingLabels;
};

type Ledger = (
  since: string | undefined,
  model: string | undefined,
) => Promise<{ readonly epochs: readonly EpochAccount[] }>;

const DAY_MS = 86_400_000;
/** However often it is asked for, the ledger is added up once in so long. */
const KEPT_MS = 30_000;

/** Reads the account of the last 24 hours. */
export function accountFigures(
  store: Pick<LabelStore, 'waiting'>,
  ledger: Ledger,
  clock: Clock,
): () => Promise<AccountFigures> {
  let kept: { readonly at: number; readonly figures: Promise<AccountFigures> } | undefined;
  const read = async (now: number) => {
    const { epochs } = await ledger(iso(now - DAY_MS), undefined);
    return figuresOf(epochs, await store.waiting());
  };
  return () => {
    const now = clock.now();
    if (kept === undefined || now - kept.at > KEPT_MS) {
      const figures = read(now);
      const reading = { at: now, figures };
      kept = reading;
      figures.catch(() => {
        if (kept === reading) kept = undefined;
      });
    }
    return kept.figures;
  };
}

export function figuresOf(epochs: readonly EpochAccount[], labels: WaitingLabels): AccountFigures {
  const dropped: Record<string, number> = {};
  for (const epoch of epochs) {
    for (const [reason, count] of Object.entries(epoch.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
  }
  const total = (key: 'captured' | 'recorded' | 'quarantined' | 'sampledOut' | 'inFlight' | 'unexplained') =>
    epochs.reduce((sum, epoch) => sum + epoch[key], 0);
  const parts = {
    captured: total('captured'),
    recorded: total('recorded'),
    quarantined: total('quarantined'),
    sampled_out: total('sampledOut'),
    dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
    in_flight: total('inFlight'),
    unexplained: total('unexplained'),
  };
  return { parts, dropped, labels };
}
