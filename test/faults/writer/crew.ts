import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import type { FaultyOrder, FaultyWord } from '../../harness/faulty-writer-main.ts';
import type { Point } from '../../harness/kill-points.ts';
import { freePort } from '../../harness/ports.ts';
import type { WriterProcess } from '../../harness/writer-process.ts';

type Env = Readonly<Record<string, string>>;
/** What happens between a death and the next writer. */
type Meanwhile = () => Promise<void>;

/** The writer's processes, one after the other on one port: the one at work, and a spare that has only to be told to begin. */
export type Crew = {
  /** Starts the first; `startWorld` calls it. */
  begin(env: Env): Promise<WriterProcess>;
  /** From now on boundaries are counted and remembered anew. */
  watch(): Promise<void>;
  /** The boundaries that were reached since, in the order in which they first were. */
  points(): Promise<readonly Point[]>;
  /** From now on boundaries are counted anew, and the writer dies at this one. */
  dieAt(point: Point, meanwhile?: Meanwhile): Promise<void>;
  /** Takes the order back; whether the writer has died of it, and how another one has ended by itself, if one has. */
  disarm(): Promise<{ readonly died: boolean; readonly accident: string | undefined }>;
  dismiss(): void;
};

export async function startCrew(): Promise<Crew> {
  const port = await freePort();
  const argv = await runnable(fileURLToPath(new URL('../../harness/faulty-writer-main.ts', import.meta.url)));
  const points = new Set<Point>();
  let [environment, orders, dismissed] = [{} as Env, 0, false];
  let armed: Meanwhile | undefined;
  let died = false;
  let accident: string | undefined;
  let spare = recruit(argv);
  let atWork: ChildProcess | undefined;

  const work = async (): Promise<void> => {
    const child = spare;
    spare = recruit(argv);
    atWork = child;
    child.on('message', ({ point }: FaultyWord) => point !== undefined && points.add(point));
    child.once('exit', (code, signal) => {
      if (dismissed || atWork !== child) return;
      const meanwhile = armed;
      armed = undefined;
      if (signal === 'SIGKILL' && meanwhile !== undefined) died = true;
      else accident = `a writer ended by itself with ${signal ?? code}`;
      void Promise.resolve(meanwhile?.()).then(work);
    });
    const ready = heard(child, (word) => word.ready === true);
    child.send({ number: 0, env: { ...environment, HOST: '127.0.0.1', PORT: String(port) } } satisfies FaultyOrder);
    await ready;
  };
  /** Obeyed by the writer at work, or by the one that has taken its place meanwhile, which needs no telling. */
  const order = async (what: { dieAt?: Point }): Promise<void> => {
    const child = atWork;
    if (child?.connected !== true) return;
    const number = (orders += 1);
    const obeyed = heard(child, (word) => word.obeyed === number);
    child.send({ number, ...what } satisfies FaultyOrder, () => {});
    await obeyed;
  };
  const end = async (signal: NodeJS.Signals) => {
    dismissed = true;
    const child = atWork;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    begin: async (env) => {
      environment = env;
      await work();
      return { port, pid: atWork?.pid ?? 0, end, output: () => '' };
    },
    watch: async () => {
      await order({});
      points.clear();
    },
    points: async () => {
      const reached = [...points];
      await order({});
      return [...new Set([...reached, ...points])];
    },
    dieAt: async (point, meanwhile = async () => {}) => {
      [died, accident] = [false, undefined];
      armed = meanwhile;
      await order({ dieAt: point });
    },
    disarm: async () => {
      armed = undefined;
      await order({});
      return { died, accident };
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

/** Resolves with a word of a process, or with its end. */
function heard(child: ChildProcess, wanted: (word: FaultyWord) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const listen = (word: FaultyWord) => {
      if (wanted(word)) done();
    };
    const done = () => {
      child.off('message', listen);
      child.off('exit', done);
      resolve();
    };
    child.on('message', listen);
    child.once('exit', done);
  });
}
