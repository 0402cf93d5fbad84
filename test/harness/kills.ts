import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoRun, stackProcesses } from './demo.ts';

/** One kill: after a line of the story has been told and `afterMs` more, this process gets SIGKILL. */
export type Kill = { readonly after: RegExp; readonly afterMs: number; readonly process: string };

/** Every process of the stack once, each while it has work in hand. */
export const PLAN: readonly Kill[] = [
  { after: /v1 approved/, afterMs: 200, process: 'writer' },
  { after: /v1 pull request/, afterMs: 50, process: 'forge' },
  { after: /v1 merged/, afterMs: 300, process: 'kube' },
  { after: /v1 synced and proven live/, afterMs: 300, process: 'agent' },
  { after: /Q\d {2}healthy/, afterMs: 200, process: 'recorder' },
  { after: /Q\d {2}healthy.*\n(.*\n)*.*Q\d {2}healthy/, afterMs: 300, process: 'queue' },
  { after: /Q\d {2}warning/, afterMs: 300, process: 'serving' },
  { after: /Q\d {2}warning/, afterMs: 900, process: 'monitor' },
  { after: /Q\d {2}alert/, afterMs: 100, process: 'cards' },
  { after: /v2 synced and proven live/, afterMs: 400, process: 'database' },
];

/** Carries a plan out on a running demo; ends with the last kill. */
export async function killAt(run: DemoRun, plan: readonly Kill[]): Promise<string[]> {
  return Promise.all(
    plan.map(async ({ after, afterMs, process: name }) => {
      await run.text(after);
      await sleep(afterMs);
      const pid = stackProcesses(run.dir)[name]?.pid;
      if (!pid) throw new Error(`The stack has no pid for ${name} after ${after}`);
      process.kill(pid, 'SIGKILL');
      return `${name} (${pid})`;
    }),
  );
}
