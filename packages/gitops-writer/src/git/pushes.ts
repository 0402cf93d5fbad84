import { batched, type BatchOutcome, FairwayError } from '@fairway/core';
import type { GitResult } from './environment.ts';
import { gitFailure, placeOf } from './failure.ts';
import type { Mirror } from './mirror.ts';
import { isCommonRefusal, pushError } from './push-error.ts';
import { forgeWords, goneRefs, parsePushReport } from './push-report.ts';

/** From `expected` (undefined: it must not exist) to `commit` (undefined: it is deleted). */
export type Move = {
  readonly branch: string;
  readonly commit: string | undefined;
  readonly expected: string | undefined;
};

/** Three arguments of some 100 bytes for each: far below what Linux takes (2 MB), and a forge answers in seconds. */
const MAX_REFS = 500;
/** A push of 200 refs costs twice what one of ten costs. */
const LINGER_MS = 150;

type Done = BatchOutcome<undefined>;
type Answers = Map<Move, Done>;
const OK: Done = { value: undefined };

/**
 * Moves branches by compare-and-swap. What waits at the same time goes out in one push, each ref with its own lease and not
 * `--atomic`: who loses a race loses alone. What git does not answer for (a connection that broke) is read from the remote.
 */
export function pusher(mirror: Mirror): (move: Move) => Promise<void> {
  const push = batched<Move, undefined>({ max: MAX_REFS, lingerMs: LINGER_MS }, async (moves) => {
    const answers: Answers = new Map();
    for (let rest: readonly Move[] = moves; rest.length > 0; ) {
      const now = firstOfEach(rest);
      await pushTogether(mirror, now, answers);
      rest = rest.filter((move) => !answers.has(move));
    }
    return moves.map((move) => answers.get(move) ?? { error: new Error('a push left a branch without an answer') });
  });
  return async (move) => {
    try {
      await push(move);
    } catch (error) {
      // Whatever we believed about this branch was wrong, or may be by now.
      mirror.outdated();
      throw error;
    }
  };
}

/** Two moves of one branch cannot be in one push. */
function firstOfEach(moves: readonly Move[]): Move[] {
  const first = new Map<string, Move>();
  for (const move of moves) if (!first.has(move.branch)) first.set(move.branch, move);
  return [...first.values()];
}

const refOf = ({ branch }: Move): string => `refs/heads/${branch}`;

async function pushTogether(mirror: Mirror, wanted: readonly Move[], answers: Answers): Promise<void> {
  const moves = await sendable(mirror, wanted, answers);
  if (moves.length === 0) return;
  const leases = moves.map((move) => `--force-with-lease=${refOf(move)}:${move.expected ?? ''}`);
  const specs = moves.map((move) => `${move.commit ?? ''}:${refOf(move)}`);
  const args = [...leases, mirror.remote.url, ...specs];
  const result = await mirror.alone(() => mirror.remote.push(mirror.folder, args));
  const open = settleReported(mirror, moves, result, answers);
  const halves = open.again.length > 1 ? [half(open.again, 0), half(open.again, 1)] : [];
  for (const part of halves) await pushTogether(mirror, part, answers);
  if (open.unknown.length > 0) await settleUnknown(mirror, moves, open.unknown, result, answers);
}

const half = (moves: readonly Move[], which: 0 | 1): readonly Move[] => {
  const middle = Math.ceil(moves.length / 2);
  return which === 0 ? moves.slice(0, middle) : moves.slice(middle);
};

/** git-check-ref-format(1); git sends nothing of a whole push for the sake of one bad name. */
const isBranchName = (name: string): boolean =>
  name !== '' &&
  !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.$|^\/|\/$/u.test(name) &&
  name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));

/** A mirror that was made anew in between does not have the commit; git would then send nothing for anybody. */
async function sendable(mirror: Mirror, moves: readonly Move[], answers: Answers): Promise<Move[]> {
  const there = await Promise.all(
    moves.map(async ({ commit }) => commit === undefined || (await mirror.reader.info(commit)) !== undefined),
  );
  return moves.filter((move, i) => {
    if (!isBranchName(move.branch)) {
      const message = `${JSON.stringify(move.branch)} is no name that git takes for a branch.`;
      answers.set(move, { error: new FairwayError('input.invalid', message) });
      return false;
    }
    if (there[i] === true) return true;
    const message = `Commit ${move.commit} for branch ${move.branch} is not in the Git mirror; it is written again.`;
    answers.set(move, { error: new FairwayError('git.race', message) });
    return false;
  });
}

/** Answers what git reported; gives back what should go again in smaller pushes, and what nothing was said about. */
function settleReported(mirror: Mirror, moves: readonly Move[], { stdout, stderr }: GitResult, answers: Answers) {
  const reports = parsePushReport(stdout);
  const again: Move[] = [];
  const unknown: Move[] = [];
  for (const move of moves) {
    const report = reports.get(refOf(move));
    if (report === undefined) unknown.push(move);
    else if (report.ok) settleMoved(mirror, move, answers);
    else if (moves.length > 1 && isCommonRefusal(report.summary, stderr)) again.push(move);
    else answers.set(move, { error: pushError(move.branch, report.summary, forgeWords(stderr, refOf(move))) });
  }
  return { again, unknown };
}

function settleMoved({ branches }: Mirror, move: Move, answers: Answers): void {
  branches.moved(move.branch, move.commit);
  answers.set(move, OK);
}

/** Nothing was said about these: git gave up before it sent anything, or the connection broke on the way. */
async function settleUnknown(
  mirror: Mirror,
  pushed: readonly Move[],
  moves: readonly Move[],
  result: GitResult,
  answers: Answers,
): Promise<void> {
  const gone = goneRefs(result.stderr);
  for (const move of moves) {
    if (gone.has(refOf(move))) answers.set(move, { error: pushError(move.branch, 'remote ref does not exist', '') });
  }
  const rest = moves.filter((move) => !answers.has(move));
  // Without the refs that are gone the others get their turn: `pusher` comes back for what has no answer.
  if (rest.length === 0 || rest.length < moves.length) return;
  if (pushed.length > 1 && isCommonRefusal(result.stderr)) {
    for (const which of [0, 1] as const) await pushTogether(mirror, half(rest, which), answers);
    return;
  }
  const failure = gitFailure(mirror.remote.url, 'push', result.stderr);
  if (failure.code === 'git.refused') for (const move of rest) answers.set(move, { error: failure });
  else await readBack(mirror, rest, failure, answers);
}

/** The remote's word: a push whose answer was lost may have been done. */
async function readBack(
  mirror: Mirror,
  moves: readonly Move[],
  failure: FairwayError,
  answers: Answers,
): Promise<void> {
  const heads = await mirror.remote
    .heads(
      mirror.folder,
      moves.map(({ branch }) => branch),
    )
    .catch(() => undefined);
  for (const move of moves) {
    const now = heads?.branches.get(move.branch);
    if (heads === undefined) answers.set(move, { error: unsure(mirror, move, failure) });
    else if (now === move.commit) settleMoved(mirror, move, answers);
    else if (now === move.expected) answers.set(move, { error: failure });
    else answers.set(move, { error: pushError(move.branch, `stale info after: ${failure.message}`, '') });
  }
}

const unsure = ({ remote }: Mirror, { branch }: Move, failure: FairwayError): FairwayError =>
  new FairwayError(
    failure.code,
    `Whether branch ${branch} was pushed is not known, ${placeOf(remote.url)} does not answer; it is looked at again. ${failure.message}`,
    { cause: failure },
  );
