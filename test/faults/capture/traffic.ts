import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';

/** One prediction; times are wall clock, ms. `problem`: it failed. */
export type Shot = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** It went over a connection that had carried one before. */
  readonly reused: boolean;
  readonly problem: string | undefined;
};

export type Order = { readonly agentPort: number; readonly agentPid: number; readonly going: boolean };

export type Report = {
  readonly shots: readonly Shot[];
  /** Predictions that went to the model directly. */
  readonly controls: ReadonlyArray<readonly [from: number, to: number]>;
  /** By wall clock: how long the agent's main thread had waited for a processor since its start, and we for our turn; ms. */
  readonly waits: ReadonlyArray<readonly [at: number, agent: number, own: number]>;
};

/** When an agent process served: from ready to the signal that ended it. */
export type Life = { readonly from: number; readonly to: number; readonly signal: 'SIGTERM' | 'SIGKILL' | undefined };

/** A prediction may come so much later than what the machine itself makes of it. */
export const DELAY_MS = 50;

export type Traffic = {
  readonly modelPort: number;
  /** Callers go on, through this agent. */
  go(agentPort: number, agentPid: number): void;
  /** Ends what is under way and tells of everything since the last pause. */
  pause(): Promise<Report>;
  stop(): void;
};

export async function startTraffic(): Promise<Traffic> {
  const argv = await runnable(fileURLToPath(new URL('traffic-main.ts', import.meta.url)));
  const child: ChildProcess = fork(argv.at(-1) ?? '', [], { execArgv: argv.slice(0, -1) });
  const [{ modelPort }] = (await once(child, 'message')) as [{ modelPort: number }];
  let agent = { agentPort: 0, agentPid: 0 };
  return {
    modelPort,
    go: (agentPort, agentPid) => {
      agent = { agentPort, agentPid };
      child.send({ ...agent, going: true } satisfies Order);
    },
    pause: async () => {
      const told = once(child, 'message') as Promise<[Report]>;
      child.send({ ...agent, going: false } satisfies Order);
      return (await told)[0];
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

/**
 * Predictions that failed although an agent was there for them. One that a SIGKILL met is not the capture's doing, nor is one
 * that came while no agent listened; of a SIGTERM those must be answered that were under way on a connection that stood.
 */
export function failures({ shots }: Report, lives: readonly Life[]): Shot[] {
  const owed = ({ from, to, reused }: Shot, life: Life) =>
    from >= life.from && (life.signal === 'SIGTERM' && reused ? from < life.to : to < life.to);
  return shots.filter((shot) => shot.problem !== undefined && lives.some((life) => owed(shot, life)));
}

/** Answered predictions later than the machine explains: the worst direct one at the time, and the waits for a processor. */
export function delays({ shots, controls, waits }: Report, lives: readonly Life[]): number[] {
  const excess = ({ from, to }: Shot): number => {
    const near = controls.filter((control) => control[1] >= from - DELAY_MS && control[0] <= to + DELAY_MS);
    const worst = Math.max(0, ...near.map((control) => control[1] - control[0]));
    return to - from - worst - waited(waits, from, to);
  };
  const served = ({ from, to }: Shot) => lives.some((life) => from >= life.from && to < life.to);
  return shots
    .filter((shot) => shot.problem === undefined && shot.to - shot.from > DELAY_MS && served(shot))
    .map(excess)
    .filter((ms) => ms > DELAY_MS);
}

function waited(waits: Report['waits'], from: number, to: number): number {
  const before = waits.findLast(([at]) => at <= from) ?? waits[0];
  const after = waits.find(([at]) => at >= to) ?? waits.at(-1);
  if (before === undefined || after === undefined) return 0;
  return Math.max(0, after[1] - before[1]) + Math.max(0, after[2] - before[2]);
}
