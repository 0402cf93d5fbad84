/** Plain counters; the hop and the capture thread have one each, /metrics and /account show both together. */
export type Tally = {
  connections: number;
  requestBytes: number;
  responseBytes: number;
  /** Exchanges of this epoch that the hop saw. */
  captured: number;
  /** Exchanges outside the sample: no loss, and without a sequence number. */
  sampledOut: number;
  /** Exchanges of which a body was cut at its cap. */
  truncated: number;
  /** Exchanges of this epoch in packs that the queue took. */
  sent: number;
  /** The same for exchanges that an earlier epoch left in the spool. */
  recovered: number;
  packs: number;
  addFailures: number;
  /** Bytes cut from torn segments at start. */
  torn: number;
  /** Exchanges that earlier epochs had in memory when they were killed, at most. */
  killed: number;
  captureErrors: number;
  captureOff: boolean;
  /** Accepted connections are read into one buffer (ADR 11). */
  oneBuffer: boolean;
  readonly requests: Record<string, number>;
  readonly dropped: Record<string, number>;
  /** Bodies of which redaction left nothing, by reason. */
  readonly withheld: Record<string, number>;
  readonly unframed: Record<string, number>;
  /** Exchanges held in memory only, by what is wrong with the disk. */
  readonly unspooled: Record<string, number>;
};

export const createTally = (): Tally => ({
  connections: 0,
  requestBytes: 0,
  responseBytes: 0,
  captured: 0,
  sampledOut: 0,
  truncated: 0,
  sent: 0,
  recovered: 0,
  packs: 0,
  addFailures: 0,
  torn: 0,
  killed: 0,
  captureErrors: 0,
  captureOff: false,
  oneBuffer: false,
  requests: {},
  dropped: {},
  withheld: {},
  unframed: {},
  unspooled: {},
});

/** What the hop counts by epoch; all else it counts for as long as the process lives. */
export const ofEpoch = ({ captured, sampledOut, dropped }: Tally): Tally => ({
  ...createTally(),
  captured,
  sampledOut,
  dropped: { ...dropped },
});

/** Sets that back. */
export function beginEpoch(tally: Tally): void {
  tally.captured = 0;
  tally.sampledOut = 0;
  for (const reason of Object.keys(tally.dropped)) delete tally.dropped[reason];
}

/** Adds to one labelled count. */
export function bump(counts: Record<string, number>, label: string, by = 1): void {
  counts[label] = (counts[label] ?? 0) + by;
}

/** Both tallies as one. */
export function together(a: Tally, b: Tally): Tally {
  const sum = createTally();
  for (const part of [a, b]) {
    for (const [name, value] of Object.entries(part)) add(sum, name, value);
  }
  return sum;
}

function add(sum: Record<string, unknown>, name: string, value: unknown): void {
  if (typeof value === 'number') sum[name] = (sum[name] as number) + value;
  else if (typeof value === 'boolean') sum[name] = sum[name] === true || value;
  else
    for (const [label, count] of Object.entries(value as object))
      bump(sum[name] as Record<string, number>, label, count);
}
