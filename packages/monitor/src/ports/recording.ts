import type { ProfileCount, VariableBaseline } from '@fairway/core';

/**
 * A count of predictions by hour, score bin (-1 = no score) and label class: 0 non-event, 1 event, -1 not labelled yet. Their sum
 * is the number of predictions. Where the target is a number all are in bin -1, labelled ones in class 0, and below class -1
 * stand the exact parts of the sums (metrics/sums.ts).
 */
export type ScoreCount = Omit<ProfileCount, 'variable'> & { readonly label: number };

/** What a model said of one row among several classes. */
export type ClassAnswer = {
  /** Index of the predicted class; -1 where it named none that is known. */
  readonly predicted: number;
  /** Class by class; null where the answer holds none. */
  readonly probabilities: readonly number[] | null;
};
/** `k`: how many classes there are. */
export type Classed = ClassAnswer & { readonly k: number };

/** Bins of one row in the inputs by which its version counts segments. */
export type Segmented = { readonly inputs: readonly VariableBaseline[]; readonly bins: readonly number[] };

/** What {@link PackStore.record} writes for one exchange: the faithful bytes and why it gave no predictions, if it gave none. */
export type ExchangeRow = {
  /** The day its id was given on, which finds its partition; `infinity` when neither id nor head name a moment. */
  readonly day: string;
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly versionSource: string;
  readonly environment: string;
  /** null: the head's time cannot be read. */
  readonly time: string | null;
  readonly status: number;
  readonly outcome: string;
  readonly latencyMs: number;
  readonly correlationId: string | null;
  /** Probability with which the agent recorded calls; null: all of them. */
  readonly sampling: number | null;
  /** Where it stands in its pack, from 0. */
  readonly position: number;
  /** JSON of the head as captured, request and response, for the few whose bytes are written apart. */
  readonly frame: { readonly parts: () => readonly Uint8Array[] };
  readonly instances: number;
  /** null: split into predictions. */
  readonly reason: string | null;
};

/** A stored prediction: the queryable view; the exchange keeps the bytes. */
export type PredictionRow = {
  /** As of its exchange. */
  readonly day: string;
  readonly id: string;
  readonly exchange: string;
  readonly model: string;
  readonly version: string;
  readonly versionSource: string;
  readonly environment: string;
  readonly time: string;
  /** Probability of the event, or the predicted number; null when the answer holds none. */
  readonly score: number | null;
  readonly inputs: string;
  readonly outputs: string;
  readonly latencyMs: number;
  readonly status: number;
  readonly correlationId: string | null;
  /** null: none yet. */
  readonly label: number | null;
  readonly observedAt: string | null;
  /** Its model predicts a number. */
  readonly isNumber: boolean;
  /** Its model predicts one of several classes; `score` is the index of the predicted one. */
  readonly classed?: Classed | undefined;
  /** Names of these classes. */
  readonly classes?: readonly string[] | undefined;
  /** Where it lies, of a version that declares segments. */
  readonly segmented?: Segmented | undefined;
};

export type Ledger = {
  readonly packId: string;
  readonly agent: string;
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  readonly exchanges: number;
  readonly model: string;
  readonly stored: number;
  readonly quarantined: number;
  readonly dropped: Readonly<Record<string, number>>;
};

export type Recording = {
  readonly ledger: Ledger;
  /** The faithful bytes, as `Pack.payload` has them. */
  readonly payload: string;
  readonly exchanges: readonly ExchangeRow[];
  /** In the order of their exchanges. */
  readonly predictions: readonly PredictionRow[];
  /** Exchanges that cannot be stored as rows: the whole frame, its place in the pack (from 0), and why. */
  readonly refused: ReadonlyArray<{ readonly position: number; readonly reason: string; readonly frame: Uint8Array }>;
  readonly profile: readonly ProfileCount[];
  /** More counts of the same kind, which labels move: of several classes, and by segment. */
  readonly moved: readonly ProfileCount[];
  readonly scores: readonly ScoreCount[];
  /** Hours of predictions whose version's reference is not known yet: to be counted again. */
  readonly uncounted: readonly HourOf[];
};

/** An hour of one model, version and environment. */
export type HourOf = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'>;

/** A label that arrived before its prediction: a number, or a class by its name (`label` is then its key). */
export type EarlyLabel = {
  readonly key: string;
  readonly label: number;
  readonly name?: string | null;
  readonly observedAt: string | null;
};

/** One open transaction of a pack. */
type PackTransaction = {
  /** Takes the early labels of these prediction or correlation ids out of the waiting room; the keys are asked for when anything waits. */
  takeEarlyLabels(keys: () => readonly string[]): Promise<readonly EarlyLabel[]>;
  write(rows: Omit<Recording, 'ledger'>): Promise<void>;
};

/**
 * stored: committed. known: the ledger has this pack already. overlap: some row of it is stored under another pack.
 * poison: PostgreSQL refused the data, and would again; where it says so, by the row of which exchange.
 */
export type PackOutcome = 'stored' | 'known' | 'overlap' | Poison;
export type Poison = { readonly poison: string; readonly exchange?: string };

export type PackStore = {
  /** Before a pack is written: makes room for rows of these days. */
  prepare(days: Iterable<string>): Promise<void>;
  /** One transaction per pack; `work` runs only when the ledger does not know the pack. A trial is taken back at its end. */
  once(ledger: Ledger, work: (transaction: PackTransaction) => Promise<void>, trial?: boolean): Promise<PackOutcome>;
  /** Ids of those exchanges that are stored already. */
  known(exchanges: ReadonlyArray<Pick<ExchangeRow, 'day' | 'id'>>): Promise<readonly string[]>;
  /** Keeps a pack that cannot be read, with its payload, in one transaction with its ledger row. */
  quarantine(ledger: Ledger, payload: string, reason: string): Promise<void>;
};
