import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '@fairway/core';
import { readFrames, KIND } from '../../../packages/log-sidecar/src/spool/frame.ts';
import { HIGH_SUFFIX } from '../../../packages/log-sidecar/src/spool/high-file.ts';
import { migrateFurther } from './schema-version.ts';
import type { World } from './world.ts';

/** What a fault may cost by the contract; what is not named costs nothing. */
export type Price = {
  /** The queue itself may forget what it had taken: it kept nothing on a disk. */
  readonly queueForgets?: true;
  /** Exchanges in the part of the spool that was damaged; the file that would tell of them was damaged too. */
  readonly damaged?: number;
};

export type Random = () => number;
export type Fault = {
  readonly name: string;
  /** How often among all, against the others. */
  readonly weight: number;
  /** Needs a redis-server; without one it is not in the draw. */
  readonly redis?: true;
  /** Why it cannot happen here. */
  readonly unable?: string;
  readonly strike: (world: World, random: Random) => Promise<Price>;
};

const within = (random: Random, from: number, to: number) => Math.round(from + random() * (to - from));
const FREE: Price = {};

const killed = (
  name: string,
  weight: number,
  end: (world: World) => Promise<void>,
  start: (world: World) => Promise<void>,
): Fault => ({
  name,
  weight,
  strike: async (world, random) => {
    await end(world);
    await pause(within(random, 0, 800));
    await start(world);
    return FREE;
  },
});

const onRedis = (name: string, weight: number, strike: (world: World, random: Random) => Promise<Price>): Fault => ({
  name,
  weight,
  redis: true,
  strike,
});

/** The kill of the agent with something done to its spool before the next start. */
const damaged = (name: string, damage: (file: string, random: Random) => void): Fault => ({
  name,
  weight: 2,
  strike: async (world, random) => {
    // With the queue away there is something in the spool.
    world.wire.freeze();
    await pause(within(random, 200, 700));
    await world.endAgent('SIGKILL');
    let exchanges = 0;
    const files = readdirSync(world.spool).map((name) => join(world.spool, name));
    const isSpared = random() < 0.75;
    for (const file of files) {
      if (statSync(file).size === 0 || (isSpared && file.endsWith(HIGH_SUFFIX))) continue;
      const before = exchangesIn(file);
      damage(file, random);
      exchanges += before - exchangesIn(file);
    }
    world.wire.mend();
    await world.startAgent();
    return isSpared ? FREE : { damaged: exchanges };
  },
});

const exchangesIn = (file: string): number =>
  readFrames(readFileSync(file)).frames.filter(({ kind }) => kind === KIND.exchange).length;

function tear(file: string, random: Random): void {
  const { size } = statSync(file);
  truncateSync(file, Math.max(0, size - within(random, 1, Math.min(size, 3000))));
}

function corrupt(file: string, random: Random): void {
  const bytes = readFileSync(file);
  const at = within(random, 0, bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << within(random, 0, 7));
  writeFileSync(file, bytes);
}

const LIMITS = spawnSync('prlimit', ['--version']).status === 0;

/** No file of the agent may grow beyond `bytes`: its writes come back short, then refused, as on a disk without room. */
function limitFiles(world: World, bytes: number | 'unlimited'): void {
  spawnSync('prlimit', ['--pid', String(world.agent.pid), `--fsize=${bytes}:`]);
}

const fullDisk = (name: string, then: (world: World) => Promise<Price>): Fault => ({
  name,
  weight: 2,
  ...(LIMITS ? {} : { unable: 'there is no prlimit on this machine' }),
  strike: async (world, random) => {
    limitFiles(world, within(random, 0, 40_000));
    await pause(within(random, 200, 1500));
    return then(world);
  },
});

async function redisFull({ redis }: World, random: Random): Promise<Price> {
  const used = /used_memory:(\d+)/.exec((await redis?.client.info('memory')) ?? '')?.[1];
  // Some of these let a few packs in, some not even a lock be renewed.
  await redis?.client.config('SET', 'maxmemory', String(Number(used) + within(random, -200_000, 60_000)));
  await pause(within(random, 300, 2500));
  await redis?.client.config('SET', 'maxmemory', '0');
  return FREE;
}

async function frozen(service: { signal(signal: NodeJS.Signals): void }, ms: number): Promise<Price> {
  service.signal('SIGSTOP');
  await pause(ms);
  service.signal('SIGCONT');
  return FREE;
}

/** The lock lasts 5 s, and is looked after every 2 s: another recorder has the pack by then, and both want to write it. */
async function pastItsLock(world: World, random: Random): Promise<Price> {
  const standing = world.standIn.start();
  // Frozen while it has work in hand, as far as chance allows.
  await pause(within(random, 0, 300));
  world.recorder.signal('SIGSTOP');
  await Promise.all([standing, pause(8000)]);
  world.recorder.signal('SIGCONT');
  await pause(within(random, 0, 500));
  await world.standIn.end('SIGTERM');
  return FREE;
}

/**
 * A later release migrates, adding only, while packs come in; the recorder of before goes on, is ended, and may not start again
 * until the schema is its own once more. A second one that was already running stands in for it, or none does.
 */
async function twoSchemaVersions(world: World, random: Random): Promise<Price> {
  const stoodIn = random() < 0.5;
  if (stoodIn) await world.standIn.start();
  const further = await migrateFurther(world);
  await pause(within(random, 0, 500));
  await world.recorder.end(random() < 0.5 ? 'SIGTERM' : 'SIGKILL');
  const starting = world.recorder.start();
  await pause(within(random, 1000, 4000));
  await further.takeBack();
  await starting;
  if (stoodIn) await world.standIn.end('SIGTERM');
  return FREE;
}

async function withoutAof(world: World, random: Random): Promise<Price> {
  await world.redis?.client.config('SET', 'appendonly', 'no');
  await pause(within(random, 100, 600));
  await world.redis?.end('SIGKILL');
  await world.redis?.start();
  return { queueForgets: true };
}

export const FAULTS: readonly Fault[] = [
  killed(
    'agent SIGKILL',
    4,
    ({ endAgent }) => endAgent('SIGKILL'),
    ({ startAgent }) => startAgent(),
  ),
  killed(
    'agent SIGTERM',
    2,
    ({ endAgent }) => endAgent('SIGTERM'),
    ({ startAgent }) => startAgent(),
  ),
  killed(
    'recorder SIGKILL',
    2,
    ({ recorder }) => recorder.end('SIGKILL'),
    ({ recorder }) => recorder.start(),
  ),
  killed(
    'recorder SIGTERM',
    2,
    ({ recorder }) => recorder.end('SIGTERM'),
    ({ recorder }) => recorder.start(),
  ),
  killed(
    'database SIGKILL',
    3,
    ({ database }) => database.end('SIGKILL'),
    ({ database }) => database.start(),
  ),
  // PostgreSQL's fast shutdown is SIGINT: at SIGTERM it waits for its clients to leave.
  killed(
    'database SIGINT',
    2,
    ({ database }) => database.end('SIGINT'),
    ({ database }) => database.start(),
  ),
  onRedis('redis SIGKILL', 4, async (world, random) => {
    await world.redis?.end('SIGKILL');
    await pause(within(random, 0, 800));
    await world.redis?.start();
    return FREE;
  }),
  onRedis('redis SIGTERM', 2, async (world, random) => {
    await world.redis?.end('SIGTERM');
    await pause(within(random, 0, 800));
    await world.redis?.start();
    return FREE;
  }),
  onRedis('redis without AOF, SIGKILL', 1, withoutAof),
  onRedis('redis full', 2, redisFull),
  onRedis('redis SIGSTOP', 2, ({ redis }, random) =>
    frozen({ signal: (signal) => void process.kill(redis?.pid ?? 0, signal) }, within(random, 300, 5000)),
  ),
  { name: 'recorder SIGSTOP past its lock', weight: 1, strike: pastItsLock },
  { name: 'recorder restarted under two schema versions', weight: 2, strike: twoSchemaVersions },
  {
    name: 'network cut in the middle of an add',
    weight: 4,
    strike: async ({ wire }, random) => {
      for (let cuts = 0; cuts < 3; cuts++) {
        wire.cutAfter(within(random, 1, 6000));
        await pause(within(random, 100, 500));
      }
      wire.mend();
      return FREE;
    },
  },
  {
    name: 'answers of the queue lost',
    weight: 2,
    strike: async ({ wire }, random) => {
      wire.loseAnswers();
      await pause(within(random, 300, 1500));
      wire.mend();
      return FREE;
    },
  },
  {
    name: 'network frozen',
    weight: 1,
    strike: async ({ wire }, random) => {
      wire.freeze();
      await pause(within(random, 300, 5000));
      wire.mend();
      return FREE;
    },
  },
  fullDisk('spool disk full', async (world) => {
    limitFiles(world, 'unlimited');
    return FREE;
  }),
  fullDisk('spool disk full, agent SIGKILL', async (world) => {
    await world.endAgent('SIGKILL');
    await world.startAgent();
    return FREE;
  }),
  damaged('spool torn between runs', tear),
  damaged('spool corrupted between runs', corrupt),
  {
    name: 'clock of the agent back by an hour',
    weight: 2,
    strike: async ({ agent }, random) => {
      agent.signal('SIGUSR2');
      await pause(within(random, 100, 600));
      return FREE;
    },
  },
];
