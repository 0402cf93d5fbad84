import { createHash } from 'node:crypto';
import { FairwayError } from '@fairway/core';
import { checkColumns, type Mapping, usable } from '@fairway/log-sidecar';
import { calls, type History, identity } from './import-exchanges.ts';
import { openSource, readRows, type Source } from './import-source.ts';

/** What a first reading of a file found. */
export type Checked = {
  readonly history: History;
  readonly ignored: readonly string[];
  /** Rows and labels that cannot be used: all of them counted by reason, the first ones by line. */
  readonly refused: Refusals;
  readonly labels: number;
  readonly refusedLabels: Refusals;
  readonly earliest: number;
  readonly latest: number;
};

export type Refusals = {
  count: number;
  readonly lines: { readonly line: number; readonly reason: string }[];
};

/** More refused rows than this speak of a wrong mapping. */
const MOST_REFUSED = 0.1;
const SHOWN = 20;

export type OnProgress = (what: string, done: number, total: number) => void;

/** Reads a file once to the end before anything is sent: whether it fits, what it is, how many rows are usable. */
export async function checkFile(
  file: string,
  delimiter: string | undefined,
  mapping: Mapping,
  { prepare, onProgress }: { readonly prepare: History['prepare']; readonly onProgress: OnProgress },
): Promise<Checked> {
  const source = await openSource(file, delimiter);
  requireColumns(source);
  const ignored = checkColumns(file, source.columns, mapping);
  const hash = createHash('sha256');
  let read = 0;
  const onBytes = (bytes: Buffer) => {
    hash.update(bytes);
    read += bytes.length;
    onProgress(`reading ${file}`, read, source.bytes);
  };
  const found = { rows: 0, labels: 0, earliest: Number.POSITIVE_INFINITY, latest: Number.NEGATIVE_INFINITY };
  const [refused, refusedLabels]: [Refusals, Refusals] = [none(), none()];
  for await (const row of readRows(source, onBytes)) {
    const next = usable(row, mapping);
    if ('problem' in next) {
      refuse(refused, next.line, next.problem);
      continue;
    }
    const { time, label, labelProblem } = next.scored;
    found.rows++;
    if (label !== undefined) found.labels++;
    if (labelProblem !== undefined) refuse(refusedLabels, next.line, labelProblem);
    if (time !== undefined) {
      found.earliest = Math.min(found.earliest, time);
      found.latest = Math.max(found.latest, time);
    }
  }
  const epoch = identity(hash.digest('hex'), source, mapping);
  const { time } = mapping;
  const range = 'column' in time ? found : { earliest: time.from, latest: time.to };
  const { earliest, latest } = range;
  const history = { source, mapping, epoch, rows: found.rows, prepare };
  return { history, ignored, refused, labels: found.labels, refusedLabels, earliest, latest };
}

/** Score and inputs are two columns at least. */
function requireColumns({ file, delimiter, columns }: Source): void {
  if (delimiter === undefined || columns.length > 1) return;
  const parted = `${file} is one column wide when ${JSON.stringify(delimiter)} parts its columns`;
  throw new FairwayError('input.invalid', `${parted}: say by --delimiter what does.`);
}

const none = (): Refusals => ({ count: 0, lines: [] });

function refuse(refusals: Refusals, line: number, reason: string): void {
  refusals.count++;
  if (refusals.lines.length < SHOWN) refusals.lines.push({ line, reason });
}

/** Throws when nothing, or too little, of a file can be used. */
export function requireUsable({ history, refused }: Checked): void {
  const { source, rows } = history;
  const all = rows + refused.count;
  if (rows > 0 && refused.count <= all * MOST_REFUSED) return;
  const first = refused.lines[0];
  if (first === undefined) throw new FairwayError('input.invalid', `${source.file} has no rows. Nothing was sent.`);
  const why = `the first is line ${first.line}: ${first.reason}`;
  throw new FairwayError(
    'input.invalid',
    `${source.file}: ${refused.count} of ${all} rows cannot be used, ${why}. Nothing was sent; see all with --dry-run.`,
  );
}

/** The first record that would be sent, as JSON text. */
export async function firstRecord(history: History): Promise<string> {
  for await (const { exchange } of calls(history, 1)) {
    const { id, time } = exchange.head;
    const [request, response] = [exchange.request, exchange.response].map((body) => new TextDecoder().decode(body));
    return `${id}-0 at ${time}: ${request} -> ${response}`;
  }
  return 'none';
}
