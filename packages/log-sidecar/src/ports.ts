import type { Clock, Pack, VersionSource } from '@fairway/core';

/** Wall clock for time stamps, monotonic milliseconds for latencies and order. */
export type AgentClock = Clock & { monotonic(): number };

export type Address = { readonly host: string; readonly port: number };

/** A TensorFlow Serving inference call, from its path (capture reference §2.1). */
export type InferenceRoute = {
  readonly model: string;
  /** The version that the URL pins. */
  readonly version?: string;
};

/** One answer of TF Serving's status call; times are monotonic ms. */
export type Observation = {
  readonly sentAt: number;
  readonly receivedAt: number;
  /** The AVAILABLE versions. */
  readonly versions: readonly string[];
};

/** Who wants to know which versions are AVAILABLE; `known` once there was one. */
export type StatusObserver = { observe(observation: Observation): void; readonly known: boolean };

/** One HTTP exchange on an inference route, as the hop saw it. Bodies end at the cap; the lengths do not. */
export type RawExchange = {
  readonly id: string;
  readonly route: InferenceRoute;
  readonly method: string;
  readonly target: string;
  /** 0 when no answer came. */
  readonly status: number;
  readonly outcome: 'complete' | 'client_aborted' | 'upstream_aborted';
  /** Absent: HTTP; see ExchangeHead. */
  readonly protocol?: 'grpc';
  readonly grpcStatus?: number;
  /** The version that the answer itself names (gRPC only). */
  readonly answered?: string;
  /** Wall clock at the request's head, ms. */
  readonly at: number;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly correlationId: string | undefined;
  readonly eventTime: string | undefined;
  readonly requestEncoding: string | undefined;
  readonly request: Uint8Array;
  readonly requestLength: number;
  readonly response: Uint8Array;
  readonly responseLength: number;
  readonly truncated: boolean;
};

/** Bytes in one piece, or in the pieces in which they came: nobody joins them on the hop. */
export type Body = Uint8Array | readonly Uint8Array[];

/** An exchange as the hop hands it over. */
export type SeenExchange = Omit<RawExchange, 'request' | 'response'> & {
  readonly request: Body;
  readonly response: Body;
};

/** From so many bytes on a body is large: the hop asks for room when its head comes, and without keeps not a byte. */
export const LARGE_BODY = 64 * 1024;

/** What the hop tells capture. Synchronous: nothing on the hop waits. Bodies are copied before it returns. */
export type Capture = {
  nextId(): string;
  completed(exchange: SeenExchange): void;
  /** A large body of so many bytes would find room now. Absent: any would. */
  hasRoom?(length: number): boolean;
  /** An exchange that was seen but cannot be recorded. With its id where it may be outside the sample: then it is no loss. */
  missed(reason: HopLoss, id?: string): void;
};

/** Where the hop's numbers are written down as it gives them; synchronous, cannot throw. */
export type Reach = {
  reach(seq: number): void;
  /** No more numbers will be given. */
  end(): void;
};

/** Why an exchange is lost on the hop: it was not understood, or the capture thread is behind. */
export const HOP_LOSSES = ['unframed', 'ring_full'] as const;
export type HopLoss = (typeof HOP_LOSSES)[number];

/** Why an exchange is lost; each has its count in every pack and on /metrics. `killed`: in memory when the agent was killed. */
export const DROP_REASONS = [
  ...HOP_LOSSES,
  'spool_full',
  'spool_expired',
  'spool_error',
  'spool_corrupt',
  'memory_full',
  'killed',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** When an un-pinned exchange ran (monotonic ms) and the version that was written with it. */
export type Span = {
  readonly seq: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly version: string;
  readonly source: VersionSource;
  /** The label that the URL names instead of a version. */
  readonly label?: string | undefined;
};

/** An encoded exchange for the spool; without a span its version needs no further evidence. */
export type SpoolRecord = { readonly seq: number; readonly bytes: Buffer; readonly span: Span | undefined };

/** Exchanges `first..last` got this version instead of the one written with them. */
export type VersionRange = readonly [first: number, last: number, version: string, source: VersionSource];

/** What is decided about a pack when it is settled: with the records, all that its content depends on. */
export type PackNote = {
  readonly versions: readonly VersionRange[];
  /** Losses of the pack's epoch so far, by reason, and what its sample left out. */
  readonly dropped: Readonly<Record<string, number>>;
};

/** A closed range of exchanges of one epoch. */
export type SpooledPack = {
  readonly agent: string;
  readonly epoch: string;
  /** The model that the epoch's agent served. */
  readonly model: string;
  readonly first: number;
  readonly last: number;
  readonly exchanges: number;
  /** Monotonic ms. */
  readonly closedAt: number;
  readonly spans: Iterable<Span>;
  /** Losses as an earlier epoch last wrote them down; undefined for packs of this epoch. */
  readonly earlierDropped: Readonly<Record<string, number>> | undefined;
  readonly note: PackNote | undefined;
};

/** How far an epoch has come, as its spool keeps it: what a kill took away can be told from it. */
export type Mark = {
  /** The highest number that may have been given. */
  readonly high: number;
  /** Up to here every number is stored, among `dropped`, or held. */
  readonly taken: number;
  /** Exchanges in memory only, since the disk had failed: the first and how many. The spool fills it in. */
  readonly held?: { readonly first: number; readonly count: number };
  /** Ordinals of packs that were given up and are counted among `dropped` from this mark on. The spool fills it in. */
  readonly gone?: readonly number[];
  readonly dropped: Readonly<Record<string, number>>;
};

/** The spool as the rest of the agent sees it. */
export type Spool = {
  /** Takes a copy of a record for the next commit, or says why not. Synchronous, cannot throw. */
  offer(record: SpoolRecord): DropReason | undefined;
  /** Writes what was offered, and the mark behind it, in one go. What the disk does not take stays in memory. Cannot throw. */
  commit(mark?: Mark): void;
  /** Closes the open pack when it is older than `ageMs`. */
  closeOlder(ageMs: number): void;
  /** Closed packs whose note is still missing, oldest first. */
  unsettled(): readonly SpooledPack[];
  settle(pack: SpooledPack, note: PackNote): void;
  /** The oldest pack, if it is settled and synced. */
  next(): SpooledPack | undefined;
  /** The encoded exchanges of a pack, one behind the other; valid until the pack is done. */
  read(pack: SpooledPack): Promise<Buffer>;
  /** The queue has the pack, or it cannot be read any more: the spool may forget it. */
  done(pack: SpooledPack): void;
  state(): SpoolState;
};

export type SpoolState = {
  readonly packs: number;
  /** Exchanges of this epoch and of earlier ones. */
  readonly exchanges: number;
  readonly earlier: number;
  readonly bytes: number;
  /** Wall clock, ms; undefined when the spool is empty. */
  readonly oldestAt: number | undefined;
  /** Exchanges that are in memory only and would be lost with the process. */
  readonly inMemory: number;
};

/**
 * Where packs go. `add` resolves only when the queue has taken the pack; it rejects when the queue is away, and the
 * next call tries again from there. The same packId again is harmless.
 */
export type PackQueue = {
  add(pack: Pack): Promise<void>;
  close(): Promise<void>;
  /** The last pack was refused because the queue's memory is nearly used up. Absent: such a queue has no bound of its own. */
  readonly full?: boolean;
};
