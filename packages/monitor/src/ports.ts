import type {
  Baseline,
  Change,
  Environment,
  ModelVersion,
  ProfileCount,
  RetrainRequest,
  ScoreTable,
  Snapshot,
  TwoSample,
  Verdict,
  Window,
} from '@fairway/core';
import type { KeptEvidence } from './evidence-ports.ts';
import type { Notification } from './notify-ports.ts';

/** What the writer committed for one model version. */
export type Reference = { readonly modelVersion: ModelVersion; readonly baseline: Baseline };

/** `policy.yaml` as it stands on the default branch. */
export type PolicyFile = { readonly blob: string; readonly text: string };

type LiveVersion = { readonly version: string; readonly digest: string; readonly since: string };
type ModelEnvironment = Environment & { readonly live?: LiveVersion };
export type ModelSummary = {
  readonly model: string;
  readonly owner: string;
  readonly environments: readonly ModelEnvironment[];
};

/** The writer's HTTP API. Every method throws a retryable FairwayError when the writer does not answer. */
export type Writer = {
  /** undefined: never deployed. */
  reference(model: string, version: string): Promise<Reference | undefined>;
  /** undefined: the model has no policy. */
  policy(model: string): Promise<PolicyFile | undefined>;
  models(): Promise<readonly ModelSummary[]>;
  /** `phase`: several, parted by commas. */
  changes(filter: { model?: string; kind?: string; environment?: string; phase?: string }): Promise<readonly Change[]>;
  /** The same dedupe key again answers with the same change. */
  requestRetrain(request: RetrainRequest): Promise<Change>;
  /** Takes back a retraining that is not merged yet; one that has ended stays as it is. */
  withdrawRetrain(id: string, actor: string, reason: string): Promise<Change>;
  notifications(): Promise<readonly Notification[]>;
};

/** A label class of a prediction: 0 non-event, 1 event, -1 not labelled yet. */
export type LabelClass = -1 | 0 | 1;

/** A count of predictions by hour, score bin (-1 = no score) and label class. Their sum is the number of predictions. */
export type ScoreCount = Omit<ProfileCount, 'variable'> & { readonly label: LabelClass };

/** What {@link PackStore.record} writes for one exchange: the faithful bytes and why it gave no predictions, if it gave none. */
export type ExchangeRow = {
  /** The day its id was given on, which finds its partition; `infinity` when neither id nor head name a moment. */
  readonly day: string;
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** null: the head's time cannot be read. */
  readonly time: string | null;
  readonly status: number;
  readonly outcome: string;
  readonly latencyMs: number;
  readonly correlationId: string | null;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  /** JSON of the head as captured. */
  readonly head: Uint8Array;
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
  /** Probability of the event, or null when the answer holds none. */
  readonly score: number | null;
  readonly inputs: string;
  readonly outputs: string;
  readonly latencyMs: number;
  readonly status: number;
  readonly correlationId: string | null;
  readonly label: LabelClass;
  readonly observedAt: string | null;
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
  readonly exchanges: readonly ExchangeRow[];
  readonly predictions: readonly PredictionRow[];
  /** Exchanges that cannot be stored as rows: the whole frame, its place in the pack (from 0), and why. */
  readonly refused: ReadonlyArray<{ readonly position: number; readonly reason: string; readonly frame: Uint8Array }>;
  readonly profile: readonly ProfileCount[];
  readonly scores: readonly ScoreCount[];
};

/** A label that arrived before its prediction. */
export type EarlyLabel = { readonly key: string; readonly label: 0 | 1; readonly observedAt: string | null };

/** One open transaction of a pack. */
type PackTransaction = {
  /** Takes the early labels of these prediction or correlation ids out of the waiting room; the keys are asked for when anything waits. */
  takeEarlyLabels(keys: () => readonly string[]): Promise<readonly EarlyLabel[]>;
  write(rows: Omit<Recording, 'ledger'>): Promise<void>;
};

/**
 * stored: committed. known: the ledger has this pack already. overlap: some row of it is stored under another pack.
 * poison: PostgreSQL refused the data, and would again; where it says so, by which row (from 1) of which table.
 */
export type PackOutcome = 'stored' | 'known' | 'overlap' | Poison;
export type Poison = { readonly poison: string; readonly table?: string; readonly line?: number };

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

/** A label and when its outcome was seen; -1: none yet. */
export type LabelState = { readonly label: LabelClass; readonly observedAt: string | null };

/** Stored prediction that a label points to. */
export type LabelTarget = LabelState & {
  readonly day: string;
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly hour: string;
  readonly bin: number;
};
export type LabelUpdate = {
  readonly day: string;
  readonly id: string;
  readonly label: 0 | 1;
  readonly observedAt: string | null;
};

/** A label that replaced another one: of a prediction (`key` is its id), or of a key that still waits (no day). */
export type LabelCorrection = {
  readonly key: string;
  readonly day: string | null;
  readonly before: LabelState;
  readonly after: LabelState;
};

/** A stored exchange; `reason`: why it holds no predictions, if it holds none. */
export type LabelExchange = { readonly id: string; readonly instances: number; readonly reason: string | null };

/** One open transaction of a label request; no other one is open. */
export type LabelTransaction = {
  /** Predictions by their ids; `day` as `dayOfId` has it. */
  byId(ids: ReadonlyArray<{ readonly id: string; readonly day: string | undefined }>): Promise<readonly LabelTarget[]>;
  /** Predictions of these correlation ids: all, or at least `limit` of each that has so many. */
  byCorrelation(keys: readonly string[], limit: number): Promise<ReadonlyArray<LabelTarget & { readonly key: string }>>;
  exchanges(ids: ReadonlyArray<{ readonly id: string; readonly day: string }>): Promise<readonly LabelExchange[]>;
  early(keys: readonly string[]): Promise<readonly EarlyLabel[]>;
  write(change: {
    readonly updates: readonly LabelUpdate[];
    readonly scores: readonly ScoreCount[];
    readonly early: readonly EarlyLabel[];
    readonly corrections: readonly LabelCorrection[];
    /** Who gave the labels, for the history. */
    readonly source: string;
  }): Promise<void>;
};

export type Account = {
  readonly stored: number;
  readonly labelled: number;
  readonly quarantined: number;
  readonly exchanges: number;
  readonly packs: number;
  /** What samples left out: no loss. */
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
};

/** Labels that wait for their predictions, and those that were given up. */
export type WaitingLabels = { readonly waiting: number; readonly expired: number };

export type LabelStore = {
  /** `no packs`: none is recorded meanwhile. */
  transaction<T>(beside: 'packs' | 'no packs', work: (transaction: LabelTransaction) => Promise<T>): Promise<T>;
  /** Gives up early labels that have waited for more than `days`; answers how many, at most `limit`. */
  expire(days: number, limit: number): Promise<number>;
  waiting(): Promise<WaitingLabels>;
  account(model: string | undefined): Promise<Account>;
};

/**
 * What became of the exchanges of one agent process (an epoch):
 * captured = recorded + quarantined + sampledOut + dropped + inFlight + unexplained.
 */
export type EpochAccount = {
  readonly model: string;
  readonly agent: string;
  readonly epoch: string;
  readonly captured: number;
  readonly recorded: number;
  /** Rows that the recorded exchanges gave. */
  readonly predictions: number;
  readonly quarantined: number;
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Numbers whose pack may still come: a later pack came less than two minutes ago. */
  readonly inFlight: number;
  readonly unexplained: number;
  readonly lastPackAt: string;
};

/** Numbers of an epoch that are in no pack; explained: by then the agent had counted as many losses. */
export type Gap = {
  readonly model: string;
  readonly agent: string;
  readonly epoch: string;
  readonly firstMissing: number;
  readonly lastMissing: number;
  readonly unexplained: number;
  readonly noticedAt: string;
};

/** References that were asked for once; a committed reference never changes. */
export type ReferenceStore = {
  reference(model: string, version: string): Promise<Reference | undefined>;
  keepReference(reference: Reference): Promise<void>;
};

/** All counts of one window: what a check looks at, and all it looks at. */
export type WindowCounts = {
  /** `[bin, count]` by variable, bins ascending. */
  readonly variables: Readonly<Record<string, ReadonlyArray<readonly [bin: number, count: number]>>>;
  /** `[score bin (-1 = no score), unlabelled, non-events, events]`, bins ascending. */
  readonly scores: ReadonlyArray<readonly [bin: number, unlabelled: number, nonEvents: number, events: number]>;
  /** Only where single values are at hand (`fairway analyze`): what bins can no more than bound. Never stored. */
  readonly exact?: ExactCounts;
  /** Sums over labelled predictions of a model whose target is a number. */
  readonly regression?: RegressionSums;
};

export type ExactCounts = {
  readonly scores: ScoreTable;
  /** Those that decay and score drift are measured against, where there are any. */
  readonly reference?: ScoreTable;
  /** Distance to the baseline's own values, by variable. */
  readonly distances: Readonly<Record<string, TwoSample>>;
};

/** Sums that add up over windows; y is the true value, e = prediction − y. */
export type RegressionSums = {
  readonly n: number;
  readonly sumY: number;
  readonly sumYY: number;
  readonly sumAbsoluteError: number;
  readonly sumSquaredError: number;
};

/** A window whose counts changed since it was judged, with the marks to take away once it is judged. */
export type DirtyWindow = {
  readonly version: string;
  readonly environment: string;
  readonly start: string;
  readonly marks: ReadonlyArray<{ readonly hour: string; readonly revision: string }>;
};

/** A verdict before it is stored: no clock has touched it. */
export type Judgement = Omit<Verdict, 'judgedAt'>;

/** Something that has to leave the house; stored in the verdict's transaction. */
export type OutboxItem = {
  readonly kind: 'card' | 'retrain';
  /** The same key is never stored twice. */
  readonly deliveryId: string;
  readonly event: string;
  readonly title: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  readonly payload: unknown;
  /** Where a person reads on. */
  readonly link?: string;
};

export type JudgeStore = {
  dirtyModels(): Promise<readonly string[]>;
  /** Windows of `every` length that have been quiet for `settleMs`. */
  dirtyWindows(model: string, every: string, settleMs: number): Promise<readonly DirtyWindow[]>;
  counts(window: Window): Promise<WindowCounts>;
  /** Starts of the version's earlier windows that hold predictions, newest first. */
  earlierStarts(window: Window, every: string, limit: number): Promise<readonly string[]>;
  /** The newest verdict of every window, oldest window first. */
  verdicts(filter: { model?: string; environment?: string }): Promise<readonly Verdict[]>;
  /** One transaction: verdict (unless it is already the newest), its evidence, outbox items, marks taken away. Answers whether it is new. */
  keep(
    judgement: Judgement,
    judgedAt: string,
    items: readonly OutboxItem[],
    marks: DirtyWindow['marks'],
    evidence?: KeptEvidence,
  ): Promise<boolean>;
  keepPolicy(model: string, policy: PolicyFile, problem: string | undefined): Promise<void>;
};

/** An outbox item that is being sent. `decided`: its payload is final. */
export type DueItem = OutboxItem & { readonly attempts: number; readonly createdAt: string; readonly decided: boolean };

/** How an attempt ended. held: not sent, by decision. */
export type Settlement =
  | { readonly state: 'accepted'; readonly link?: string }
  | { readonly state: 'held' | 'dead'; readonly reason: string }
  | { readonly state: 'pending'; readonly delayMs: number; readonly reason: string };

export type DecidedRetrain = { readonly deliveryId: string; readonly at: string; readonly open: boolean };

export type OutboxStore = {
  /** Takes one due item, alone, and settles it by what `work` answers. false: nothing was due. A crash frees the item at once. */
  attempt(kind: OutboxItem['kind'], work: (item: DueItem) => Promise<Settlement>): Promise<boolean>;
  /** Fixes what will be sent, before it is sent. false: another retrain of the model is on its way. */
  decide(item: DueItem, payload: unknown): Promise<boolean>;
  /** Retrains of the model that were decided and not given up. */
  decidedRetrains(model: string): Promise<readonly DecidedRetrain[]>;
};

/** Labelled predictions of a version with `start` ≤ time < `end`. */
export type SnapshotBounds = Pick<Window, 'model' | 'version' | 'environment' | 'start' | 'end'>;

/** Streams on-field rows to a file; the same rows give the same bytes. */
export type Snapshots = {
  take(bounds: SnapshotBounds, modelVersion: ModelVersion): Promise<Omit<Snapshot, 'createdAt'>>;
};

/** The policy a model was last judged by, or why it cannot be used. */
export type StoredPolicy = PolicyFile & { readonly problem: string | null };

/** A retrain request that has not become a change, and why. */
export type UnsentRetrain = {
  readonly title: string;
  readonly state: 'pending' | 'held' | 'dead';
  readonly reason: string | null;
  readonly at: string;
};

export type DashboardStore = {
  unsentRetrains(limit: number): Promise<readonly UnsentRetrain[]>;
  policy(model: string): Promise<StoredPolicy | undefined>;
  totals(): Promise<{ readonly predictions: number; readonly labelled: number }>;
  /** Something happened in the last minute, or waits to leave the house. */
  active(): Promise<boolean>;
};
