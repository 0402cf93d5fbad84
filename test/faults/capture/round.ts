import { pause } from '@fairway/core';
import { accountOf, gaps, inQueue, reportedKilled, stored } from './account.ts';
import type { Fault, Price, Random } from './faults.ts';
import { delays, failures, type Report, type Shot } from './traffic.ts';
import type { World } from './world.ts';

export type Outcome = {
  readonly seed: number;
  readonly fault: string;
  readonly ms: number;
  /** Predictions answered with 200 and an id. */
  readonly answered: number;
  /** Of those, not in the tables. */
  readonly lost: number;
  /** Of those, neither visible in the agent's sequence nor explained by its kill. */
  readonly uncounted: number;
  /** Of those, lost although the fault allows no loss. */
  readonly unpaid: number;
  /** Of those, in the memory of an agent that was killed; and how many the next one told of, at most. */
  readonly withAgent: number;
  readonly agentBound: number;
  /** Of those, beyond what was told: answered in the last moment before the kill. And kills of an agent. */
  readonly untold: number;
  readonly kills: number;
  readonly failed: number;
  readonly delayed: number;
  readonly drained: boolean;
  readonly deserted: number;
  /** In sentences. */
  readonly wrong: readonly string[];
};

/** A recorder that died with a pack in hand: 5 s until its lock lapses, 2 s until somebody looks; and a busy machine. */
const PATIENCE_MS = 90_000;
/** A number given so shortly before the kill may not be written down yet (ADR 10). */
const MOMENT_MS = 20;
/** Where even that was damaged: what a capture thread may hold that a busy machine does not let run. */
const UNTOLD_MS = 1000;
const LOOK_MS = 100;

/** Steady traffic, one fault in it, then quiet until nothing moves any more, and the tables are asked. */
export async function round(world: World, fault: Fault, random: Random, seed: number): Promise<Outcome> {
  const began = performance.now();
  const desertedBefore = deserted(world);
  const gapBefore = await gaps(world, await seen(world));
  const killedBefore = await reportedKilled(world);
  const livesBefore = world.lives().length;
  world.traffic.go(...agentOf(world));
  await pause(200 + random() * 500);
  const watch = watchAccounts(world);
  const price = await fault.strike(world, random);
  await pause(200 + random() * 300);
  const report = await world.traffic.pause();
  const captured = await watch.end();
  const ids = report.shots.filter(({ problem }) => problem === undefined).map(({ id }) => id);
  const { missing, duplicates, quarantined, drained } = await untilDrained(world, ids);
  const lives = world.lives();
  const gap = (await gaps(world, captured)) - gapBefore;
  const told = (await reportedKilled(world)) - killedBefore;
  const kills = lives.slice(livesBefore - 1).flatMap(({ signal, to }) => (signal === 'SIGKILL' ? [to] : []));
  const facts = {
    ...loss({ shots: report.shots, missing, price, gap, told, kills }),
    failed: failures(report, lives).length,
    delayed: delays(report, lives).length,
    deserted: deserted(world) - desertedBefore,
    drained,
  };
  const wrong = sentences({ ...facts, duplicates, quarantined }, report, lives);
  if (!drained) wrong.push(`the agent's last words: ${world.agent.output().slice(-600)}`);
  const ms = performance.now() - began;
  return { seed, fault: fault.name, ms, answered: ids.length, lost: missing.length, ...facts, wrong };
}

const deserted = ({ agent, recorder, standIn }: World) => agent.deserted + recorder.deserted + standIn.deserted;

type Loss = Pick<Outcome, 'uncounted' | 'unpaid' | 'withAgent' | 'agentBound' | 'untold' | 'kills'>;
type Seen = {
  readonly shots: readonly Shot[];
  readonly missing: readonly string[];
  readonly price: Price;
  /** Numbers in the agent's sequence without an exchange in the ledger; those that kills explain, by the ledger. */
  readonly gap: number;
  readonly told: number;
  readonly kills: readonly number[];
};

/** What is not in the tables, by what explains it: the ledger's word on a killed agent, the price of the fault, the gap. */
function loss({ shots, missing, price, gap, told, kills }: Seen): Loss {
  const before = price.damaged === undefined ? MOMENT_MS : UNTOLD_MS;
  const isLast = ({ to }: Shot) => kills.some((at) => to > at - before && to <= at + MOMENT_MS);
  const last = new Set(shots.filter(isLast).map(({ id }) => id));
  const withAgent = Math.min(missing.length, told);
  const beyond = Math.max(0, missing.length - withAgent - (price.damaged ?? 0));
  const late = Math.min(beyond, missing.filter((id) => last.has(id)).length);
  const rest = beyond - late;
  return {
    withAgent,
    agentBound: told,
    untold: price.damaged === undefined ? late : 0,
    kills: kills.length,
    uncounted: Math.max(0, rest - Math.max(0, gap)),
    unpaid: price.queueForgets ? 0 : rest,
  };
}

type Facts = Omit<
  Outcome,
  'seed' | 'fault' | 'ms' | 'answered' | 'lost' | 'wrong' | 'withAgent' | 'agentBound' | 'untold'
>;

function sentences(
  facts: Facts & { readonly duplicates: number; readonly quarantined: number },
  report: Report,
  lives: ReturnType<World['lives']>,
): string[] {
  const { drained, duplicates, quarantined, uncounted, unpaid, failed, delayed } = facts;
  const shown = failures(report, lives)[0];
  return [
    drained ? '' : 'it did not drain',
    duplicates === 0 ? '' : `${duplicates} duplicate rows`,
    quarantined === 0 ? '' : `${quarantined} in quarantine`,
    uncounted === 0 ? '' : `${uncounted} lost without a trace`,
    unpaid === 0 ? '' : `${unpaid} lost although nothing may be`,
    failed === 0 ? '' : `${failed} predictions failed (${shown?.problem})`,
    delayed === 0 ? '' : `${delayed} delayed by up to ${Math.round(Math.max(...delays(report, lives)))} ms`,
    facts.deserted === 0 ? '' : `${facts.deserted} processes ended by themselves`,
  ].filter((sentence) => sentence !== '');
}

const agentOf = ({ agent, agentPort }: World): [number, number] => [agentPort, agent.pid];

/** The highest number of each epoch that the agent has told of. */
async function seen(world: World): Promise<Map<string, number>> {
  const account = await accountOf(world);
  return new Map(account === undefined ? [] : [[account.epoch, account.captured]]);
}

/** Looks at the agent's account now and then, so that what a killed one had captured is known. */
function watchAccounts(world: World): { end(): Promise<Map<string, number>> } {
  const captured = new Map<string, number>();
  const ended = new AbortController();
  const look = async () => {
    for (const [epoch, count] of await seen(world)) captured.set(epoch, Math.max(count, captured.get(epoch) ?? 0));
  };
  const loop = (async () => {
    while (!ended.signal.aborted) {
      await look();
      await pause(LOOK_MS, ended.signal);
    }
  })();
  return {
    end: async () => {
      ended.abort();
      await loop;
      await look();
      return captured;
    },
  };
}

/** Until every id is in the tables, or agent and queue are empty and stay so: what is missing then never comes. */
async function untilDrained(world: World, ids: readonly string[]) {
  const deadline = Date.now() + PATIENCE_MS;
  let quiet = 0;
  for (;;) {
    const found = await stored(world, ids);
    if (found.missing.length === 0 || quiet >= 3) return { ...found, drained: true };
    if (Date.now() > deadline) return { ...found, drained: false };
    const account = await accountOf(world);
    const empty =
      account !== undefined &&
      account.inSpool + account.redacting + account.earlier.inSpool === 0 &&
      (await inQueue(world)) === 0;
    quiet = empty ? quiet + 1 : 0;
    await pause(LOOK_MS);
  }
}
