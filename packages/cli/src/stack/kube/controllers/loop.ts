import type { Logger } from '@fairway/core';
import { KINDS, kindKey } from '../kinds.ts';
import { reasonOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import type { StoreEvent } from '../store/store.ts';

/** Brings one kind of thing into the state that the objects ask for. */
export type Controller = {
  readonly name: string;
  /** Keys to look at again after this event. */
  keys(event: StoreEvent): readonly string[];
  /** Looks at the world and acts; callable any number of times. Answers after how many ms it wants to look again. */
  reconcile(key: string): Promise<number | undefined> | number | undefined;
  /** Events from outside the registry; answers the function that ends them. */
  sources?(enqueue: (key: string) => void): () => void;
};

type ControlLoop = {
  enqueue(key: string, afterMs?: number): void;
  /** No new work; resolves when the running ones have ended. */
  stop(): Promise<void>;
};

/** Retry of a failing key: 100 ms, doubled, at most 10 s. */
const retryMs = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 10_000);

/** What is known of one key: its timer, its run, and whether it was asked for again during the run. */
type Entry = {
  timer: NodeJS.Timeout | undefined;
  due: number;
  running: Promise<void> | undefined;
  again: boolean;
  failures: number;
};

/** The longest delay a timer holds is 24.8 days; deadlines may be longer. */
const MAX_TIMER_MS = 2_000_000_000;

/**
 * Runs `reconcile` for enqueued keys: one run per key at a time; an enqueue during a run gives one more run after it.
 * An earlier due time wins over a later one.
 */
export function controlLoop(controller: Pick<Controller, 'name' | 'reconcile'>, log: Logger): ControlLoop {
  const entries = new Map<string, Entry>();
  let stopped = false;

  const start = (key: string, entry: Entry) => {
    entry.timer = undefined;
    if (entry.running) {
      entry.again = true;
      return;
    }
    entry.running = runOnce(controller, key, entry, log).then((waitMs) => {
      entry.running = undefined;
      if (waitMs !== undefined) enqueue(key, waitMs);
      if (entry.again) enqueue(key);
      entry.again = false;
      if (!entry.timer && entry.failures === 0) entries.delete(key);
    });
  };
  const enqueue = (key: string, afterMs = 0): void => {
    if (stopped) return;
    const entry = entries.get(key) ?? { timer: undefined, due: 0, running: undefined, again: false, failures: 0 };
    entries.set(key, entry);
    const due = performance.now() + afterMs;
    if (entry.timer && entry.due <= due) return;
    clearTimeout(entry.timer);
    entry.due = due;
    entry.timer = setTimeout(() => start(key, entry), Math.min(afterMs, MAX_TIMER_MS));
  };
  return {
    enqueue,
    async stop() {
      stopped = true;
      for (const { timer } of entries.values()) clearTimeout(timer);
      await Promise.allSettled([...entries.values()].flatMap(({ running }) => running ?? []));
    },
  };
}

/** One run; answers after how many ms the next one is due. */
async function runOnce(
  { name, reconcile }: Pick<Controller, 'name' | 'reconcile'>,
  key: string,
  entry: Entry,
  log: Logger,
): Promise<number | undefined> {
  try {
    const waitMs = await reconcile(key);
    entry.failures = 0;
    return waitMs;
  } catch (error) {
    entry.failures += 1;
    const fields = { controller: name, key, reason: (error as Error).message };
    // A refusal means that somebody else wrote first: ordinary, look again.
    if (reasonOf(error) === undefined) log.warn({ ...fields, stack: (error as Error).stack }, 'reconcile failed');
    else log.debug(fields, 'reconcile refused');
    return retryMs(entry.failures);
  }
}

/** Runs controllers on the registry's events; at the start every object that exists counts as added. */
export function runControllers(
  registry: Registry,
  controllers: readonly Controller[],
  log: Logger,
): { stop(): Promise<void> } {
  const running = controllers.map((controller) => ({ controller, loop: controlLoop(controller, log) }));
  const feed = (event: StoreEvent) => {
    for (const { controller, loop } of running) for (const key of controller.keys(event)) loop.enqueue(key);
  };
  const ends = [
    registry.store.subscribe(feed),
    ...running.flatMap(({ controller, loop }) => controller.sources?.((key) => loop.enqueue(key)) ?? []),
  ];
  for (const kind of KINDS) {
    for (const object of registry.list(kind)) feed({ type: 'ADDED', version: 0, kind: kindKey(kind), object });
  }
  return {
    async stop() {
      for (const end of ends) end();
      await Promise.all(running.map(({ loop }) => loop.stop()));
    },
  };
}

/** `<namespace>/<name>` of an object, the usual key. */
export const keyOf = ({ metadata: { namespace = '', name } }: StoreEvent['object']): string => `${namespace}/${name}`;

export function splitKey(key: string): [namespace: string, name: string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
