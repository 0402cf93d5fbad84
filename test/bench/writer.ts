import { gitEnvironment } from '../../packages/gitops-writer/src/git/environment.ts';
import { peakMb, RESIDENT_MB } from './resident.ts';
import { atLeast, atMost, type Result } from './result.ts';
import { livenessOver } from './writer/liveness.ts';
import { cloneWay, type Shape } from './writer/repository.ts';
import { approvals, type BenchWorld, startBenchWorld, type Wanted } from './writer/world.ts';

const LARGE: Shape = { models: 5_000, environments: 1, commits: 3_000 };
/** A thousand changes at fifty models: twenty environments each. */
const SMALL: Shape = { models: 50, environments: 20, commits: 3_000 };
const BURST = 1_000;
const SINGLES = 100;
const CLONES = 5;

/** From an approval to its branch on the remote, at five thousand models and at fifty, beside what other tools do. About four minutes. */
export async function writer(): Promise<Result[]> {
  const small = await measure(SMALL);
  const large = await measure(LARGE);
  const note = `${LARGE.models} models, ${LARGE.commits} commits, queue on ${large.queue}`;
  const { p50, p99 } = large.singles;
  return [
    { ...atMost('approval-to-branch-p50', p50, 'ms', 300, note), baseline: large.clone },
    {
      ...atMost('approval-to-branch-p99', p99, 'ms', 1_000, `${SINGLES} approvals one after the other`),
      baseline: large.clone,
    },
    {
      ...atLeast(
        'times-faster-than-clone',
        round(large.clone / p50),
        'x',
        10,
        'depth-1 clone, edit, commit, push on the same disk, p50',
      ),
      baseline: large.clone,
    },
    atMost(
      'burst-1000',
      round(large.burst.seconds),
      's',
      15,
      `${large.burst.branches} branches with their commits on the remote`,
    ),
    atMost(
      'writer-resident',
      large.singles.rssMb,
      'MB',
      RESIDENT_MB.writer,
      `largest resident set until then: ${SINGLES} approvals one after the other`,
    ),
    atMost('burst-rss', large.burst.rssMb, 'MB', 400, 'largest resident set of the writer during the burst'),
    atMost(
      'cost-at-5000-models',
      round(perChange(large) / perChange(small)),
      'x',
      1.3,
      `time per change in a burst against ${SMALL.models} models (${round(small.burst.seconds)} s for ${small.burst.branches}); singly ${round(p50 / small.singles.p50)} x`,
    ),
    atMost(
      'liveness-over-3000-commits',
      await livenessOver(3_000, gitEnvironment(process.env['PATH'])),
      'ms',
      100,
      'p50 of 21 changes, each asked once',
    ),
  ];
}

const perChange = ({ burst }: Measured) => burst.seconds / burst.branches;

type Measured = {
  readonly singles: { readonly p50: number; readonly p99: number; readonly rssMb: number };
  readonly clone: number;
  readonly burst: { readonly seconds: number; readonly branches: number; readonly rssMb: number };
  readonly queue: string;
};

/** Singles and the clone way take turns, so that both see the same machine; the burst comes after. */
async function measure(shape: Shape): Promise<Measured> {
  const world = await startBenchWorld(shape);
  try {
    const most = shape.models * shape.environments;
    const all = approvals(shape, Math.min(most, BURST + SINGLES), 'bench');
    const singles: number[] = [];
    const clones: number[] = [];
    for (const [i, one] of all.slice(-SINGLES).entries()) {
      if (i % (SINGLES / CLONES) === 0) clones.push(cloneWay(world.remote, world.scratch, i));
      singles.push(await approvalToBranch(world, one));
      // The pull request is the forge's work; the next approval begins on a machine that rests.
      await world.proposed(one);
    }
    const rssMb = peakMb(world.pid);
    const burst = await burstOf(world, all.slice(0, -SINGLES));
    return {
      singles: { p50: quantile(singles, 0.5), p99: quantile(singles, 0.99), rssMb },
      clone: quantile(clones, 0.5),
      burst,
      queue: world.queue,
    };
  } finally {
    await world.stop();
  }
}

async function approvalToBranch(world: BenchWorld, wanted: Wanted): Promise<number> {
  const began = performance.now();
  const branch = await world.approve(wanted);
  await until(() => world.tip(branch) !== undefined, world);
  return performance.now() - began;
}

async function burstOf(world: BenchWorld, wanted: readonly Wanted[]) {
  const began = performance.now();
  const branches = await Promise.all(wanted.map((one) => world.approve(one)));
  let there = 0;
  // One after the other: to look for all that are missing took a tenth of a core from what is measured.
  const isNextThere = () => branches[there] !== undefined && world.tip(branches[there] ?? '') !== undefined;
  const areAllThere = () => {
    while (isNextThere()) there += 1;
    return there === branches.length;
  };
  await until(areAllThere, world, 50);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, branches: branches.length, rssMb: peakMb(world.pid) };
}

const PATIENCE_MS = 120_000;

async function until(reached: () => boolean, world: BenchWorld, everyMs = 2): Promise<void> {
  const began = performance.now();
  while (!reached()) {
    if (performance.now() - began > PATIENCE_MS)
      throw new Error(`no branch within two minutes: ${world.output().slice(-2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN);
}

const round = (value: number) => Math.round(value * 100) / 100;
