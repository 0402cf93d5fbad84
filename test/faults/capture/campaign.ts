import { atMost, type Result } from '../../bench/result.ts';
import { wholeTables } from './account.ts';
import { FAULTS, type Fault, type Random } from './faults.ts';
import { type Outcome, round } from './round.ts';
import { startWorld, type World } from './world.ts';

export type CaptureOrder = {
  readonly rounds: number;
  readonly seed: number;
  /** Worlds that run rounds side by side: most of a round is waiting. */
  readonly worlds?: number;
  /** Only faults whose name contains this. */
  readonly only?: string;
  readonly say?: (line: string) => void;
};

/** Seeds the draw of one round: with `--seed` of that round and one round, the same happens again. */
function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function draw(faults: readonly Fault[], random: Random): Fault {
  let at = random() * faults.reduce((sum, { weight }) => sum + weight, 0);
  return faults.find(({ weight }) => (at -= weight) < 0) ?? (faults[0] as Fault);
}

/** Rounds of one fault each, at a random moment under steady traffic; what each left is read from the tables. */
export async function captureCampaign(order: CaptureOrder): Promise<Result[]> {
  const { rounds, seed, only = '', say = () => {} } = order;
  const worlds = await Promise.all(Array.from({ length: Math.min(order.worlds ?? 1, rounds) }, startWorld));
  const [world] = worlds;
  if (world?.redis === undefined) say('there is no redis-server on this machine: the queue is in PostgreSQL');
  const faults = FAULTS.filter(({ redis, name }) => (!redis || world?.redis) && name.includes(only));
  for (const { name, unable } of faults) if (unable !== undefined) say(`skipped: ${name}, ${unable}`);
  const able = faults.filter(({ unable }) => unable === undefined);
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (one: World) => {
    while (next < rounds) {
      const own = seed + next++;
      const random = seeded(own);
      const outcome = await round(one, draw(able, random), random, own);
      outcomes.push(outcome);
      say(line(outcome, outcomes.length, rounds));
    }
  };
  try {
    await Promise.all(worlds.map(work));
    const tables = await Promise.all(worlds.map(wholeTables));
    const sum = (values: readonly number[]) => values.reduce((total, n) => total + n, 0);
    return results(
      outcomes,
      sum(tables.map((one) => one.duplicates)),
      sum(tables.map((one) => Math.abs(one.ledgerOff))),
    );
  } finally {
    await Promise.all(worlds.map((one) => one.stop()));
  }
}

function line(outcome: Outcome, at: number, of: number): string {
  const { seed, fault, answered, lost, agentBound, untold, wrong, ms } = outcome;
  const verdict = wrong.length === 0 ? 'ok    ' : 'WRONG ';
  const killed = agentBound > 0 ? ` (${agentBound} told as killed)` : '';
  const late = untold > 0 ? `, ${untold} of the last moment` : '';
  const facts = `${answered} answered, ${lost} not stored${killed}${late}, ${(ms / 1000).toFixed(1)} s`;
  return [`${verdict}${at}/${of} seed ${seed}: ${fault}; ${facts}`, ...wrong].join('; ');
}

function results(outcomes: readonly Outcome[], duplicates: number, ledgerOff: number): Result[] {
  const sum = (value: (one: Outcome) => number) => outcomes.reduce((total, one) => total + value(one), 0);
  const seeds = (value: (one: Outcome) => number) => {
    const bad = outcomes.filter((one) => value(one) > 0).map(({ seed }) => seed);
    return bad.length === 0 ? undefined : `--rounds 1 --seed ${bad.slice(0, 10).join(' or ')}`;
  };
  const none = (id: string, unit: string, value: (one: Outcome) => number) =>
    atMost(id, sum(value), unit, 0, seeds(value));
  const answered = sum((one) => one.answered);
  return [
    none('capture-rounds-wrong', `of ${outcomes.length} rounds`, ({ wrong }) => Number(wrong.length > 0)),
    atMost('capture-duplicate-rows', duplicates, 'rows', 0, `${answered} predictions answered`),
    atMost('capture-ledger-off', ledgerOff, 'rows', 0, "the ledger's count of rows against the rows"),
    none('capture-uncounted-losses', 'predictions', (one) => one.uncounted),
    none('capture-lost-with-aof-and-spool', 'predictions', (one) => one.unpaid),
    none('capture-failed-predictions', 'predictions', (one) => one.failed),
    none('capture-delayed-predictions', 'predictions', (one) => one.delayed),
    none('capture-rounds-not-drained', 'rounds', ({ drained }) => Number(!drained)),
    none('capture-processes-ended-by-themselves', 'ends', (one) => one.deserted),
    atMost(
      'capture-lost-with-killed-agents',
      sum((one) => one.withAgent),
      'predictions',
      sum((one) => one.agentBound),
      `${outcomes.filter(({ agentBound }) => agentBound > 0).length} kills with something in memory; the bar is what the agents told`,
    ),
    atMost(
      'capture-lost-in-the-last-20-ms-untold',
      sum((one) => one.untold),
      'predictions',
      sum((one) => one.kills),
      'while the number was being written down; the bar is one for each kill',
    ),
  ];
}
