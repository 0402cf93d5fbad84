import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../packages/cli/src/stack/runnable.ts';
import type { Change } from '@fairway/core';
import type { FaultyOrder } from '../harness/faulty-writer-main.ts';
import type { Point } from '../harness/kill-points.ts';
import { freePort } from '../harness/ports.ts';
import { registerVersion } from '../integration/writer/model.ts';
import { MODEL, startWorld, type World, type WorldOptions } from '../integration/writer/world.ts';

/** What went wrong after a kill, in sentences; and whether the story came to the point at all. */
export type PointResult = { readonly point: Point; readonly died: boolean; readonly wrong: readonly string[] };

const PATIENCE_MS = 120_000;

/**
 * One story (approval → merged by itself → live) for each boundary between the writer and the world, in which the writer is
 * killed by SIGKILL exactly there and started again. The boundaries are those of a first story, enumerated, not sampled;
 * `choose` may pick some of them.
 */
export async function killAtEachPoint(
  options: WorldOptions,
  choose: (points: readonly Point[]) => readonly Point[],
  told: (result: PointResult) => void,
): Promise<{ readonly points: readonly Point[]; readonly results: readonly PointResult[] }> {
  const crew = await startCrew();
  const world = await startWorld({ ...options, writer: crew.begin });
  const results: PointResult[] = [];
  try {
    await story(world, '1');
    const points = [...crew.points];
    for (const [i, point] of choose(points).entries()) {
      crew.dieAt(point);
      const change = await story(world, String(i + 2));
      const died = crew.disarm();
      const result = { point, died, wrong: await whatIsWrong(world, change, died) };
      results.push(result);
      told(result);
    }
    return { points, results };
  } finally {
    crew.dismiss();
    await world.stop();
  }
}

/** Carries a version from its approval to live, whatever dies on the way; answers the change as it ends. */
async function story(world: World, version: string): Promise<Change> {
  await registerVersion(world.registry, MODEL, version, Number(version));
  const approval = {
    eventId: `point-${version}`,
    model: MODEL,
    version,
    environment: 'dev',
    actor: 'alice@example.com',
  };
  const deadline = Date.now() + PATIENCE_MS;
  let rolledOut = '';
  for (;;) {
    // The workflow repeats its approval until it has an answer, and now and then although it has one.
    const answer = await world.api('POST', '/v1/approvals', approval).catch(() => undefined);
    const change = answer?.body.change;
    const merge = change?.pullRequest?.mergeCommit;
    if (change !== undefined && merge !== undefined && merge !== rolledOut) {
      world.cluster.rollOut(MODEL, 'dev', change.id, version, merge);
      rolledOut = merge;
    }
    if (change !== undefined && ENDS.includes(change.phase) && (await isTold(world, version))) return change;
    if (Date.now() > deadline) throw new Error(`version ${version} does not end: ${JSON.stringify(change)}`);
    await sleep(50);
  }
}

const ENDS: readonly string[] = ['live', 'failed', 'rejected', 'superseded', 'rolled-back'];

const isTold = async (world: World, version: string): Promise<boolean> => {
  const answer = await world.api('GET', '/v1/notifications').catch(() => undefined);
  const live = answer?.body.notifications.find(
    ({ event, title }) => event === 'live' && title.startsWith(`${MODEL} ${version} `),
  );
  return live?.state === 'accepted';
};

async function whatIsWrong(world: World, change: Change, died: boolean): Promise<string[]> {
  const { id, branch, version, phase } = change;
  const { body: changes } = await world.api('GET', `/v1/changes?model=${MODEL}&environment=dev`);
  const pulls = (await world.onForge('GET', '/pulls?state=all&limit=50')).body.filter(
    ({ title }) => title === `Deploy ${MODEL} ${version} to dev`,
  );
  const comments = await Promise.all(pulls.map(({ number }) => world.onForge('GET', `/issues/${number}/comments`)));
  const branches = await world.remoteBranches();
  const { body: told } = await world.api('GET', '/v1/notifications');
  const about = told.notifications
    .filter(({ title }) => title.startsWith(`${MODEL} ${version} `))
    .map(({ event }) => event);
  const events = about.filter((event) => event === 'approval' || event === 'live').sort();
  return [
    died ? '' : 'the point was not reached',
    phase === 'live' ? '' : `change ${id} ended ${phase}: ${change.reason}`,
    changes.changes.filter((one) => one.version === version).length === 1 ? '' : 'there is not exactly one change',
    pulls.length === 1 ? '' : `there are ${pulls.length} pull requests`,
    comments.every(({ body }) => body.length <= 1) ? '' : 'there is more than one comment',
    branches.includes(branch) ? 'the branch is still there' : '',
    events.join() === 'approval,live' ? '' : `the cards are ${events.join()}`,
  ].filter((sentence) => sentence !== '');
}

/** The writer's processes, one after the other: the one at work, and a spare that has only to be told to begin. */
async function startCrew() {
  const port = await freePort();
  const points = new Set<Point>();
  let dismissed = false;
  let armed: Point | undefined;
  let died = false;
  const argv = await runnable(fileURLToPath(new URL('../harness/faulty-writer-main.ts', import.meta.url)));
  let spare = recruit(argv);
  let atWork: ChildProcess | undefined;
  let environment: Readonly<Record<string, string>> = {};

  const work = async (env: Readonly<Record<string, string>>): Promise<number> => {
    environment = env;
    const child = spare;
    spare = recruit(argv);
    atWork = child;
    child.on('message', ({ point }: { point?: Point }) => point !== undefined && points.add(point));
    child.once('exit', () => {
      if (dismissed || atWork !== child) return;
      died = armed !== undefined;
      void work(environment);
    });
    const ready = new Promise<void>((resolve) =>
      child.on('message', ({ ready: is }: { ready?: true }) => is && resolve()),
    );
    child.send({ env: { ...env, HOST: '127.0.0.1', PORT: String(port) } } satisfies FaultyOrder);
    await ready;
    return port;
  };
  return {
    points,
    begin: async (env: Readonly<Record<string, string>>) => {
      await work(env);
      const end = async (signal: NodeJS.Signals) => {
        dismissed = true;
        const child = atWork;
        if (child === undefined || child.exitCode !== null) return;
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      };
      return { port, pid: atWork?.pid ?? 0, end, output: () => '' };
    },
    dieAt: (point: Point) => {
      armed = point;
      died = false;
      atWork?.send({ dieAt: point } satisfies FaultyOrder);
    },
    disarm: (): boolean => {
      armed = undefined;
      atWork?.send({} satisfies FaultyOrder);
      return died;
    },
    dismiss: () => {
      dismissed = true;
      spare.kill('SIGKILL');
    },
  };
}

function recruit(argv: readonly string[]): ChildProcess {
  return fork(argv.at(-1) ?? '', [], {
    execArgv: argv.slice(0, -1),
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}
