import { type Gate, gate, type Part, pause, redact } from '@fairway/core';
import type { RegistryKind } from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { modelNames } from './catalogue.ts';
import { type ChampionContext, look } from './champions-look.ts';
import type { KnownModels } from './known-models.ts';

export type WatchContext = ChampionContext & { readonly models: KnownModels };

/** Looks at one registry at a time. A slow one must not hold up another. */
const WIDTH = 4;
/** Another process looks at the model, perhaps since before the hint came. */
const BUSY_MS = 500;
const BUSY_TRIES = 60;

/**
 * Asks every registry for its champions about every `everyMs`, and sooner where a registry hints. Any number of replicas do it:
 * they share what they have seen, look at a model one at a time, and a model that another has just looked at is left out.
 */
export function championWatcher(context: WatchContext, everyMs: number): Part {
  const { source, log } = context;
  const stopping = new AbortController();
  const looks = coalesced((model) => patiently(model, context, stopping.signal));
  let loop: Promise<void> | undefined;
  let watch: { stop(): void } | undefined;
  const run = async () => {
    while (!stopping.signal.aborted) {
      await pollAll(context, everyMs, stopping.signal).catch((error: Error) =>
        log.warn({ reason: redact(error.message) }, 'champions cannot be looked for'),
      );
      await pause(everyMs * (0.9 + 0.2 * Math.random()), stopping.signal);
    }
  };
  return {
    name: 'champion watcher',
    start: () => {
      loop = run();
      watch = source.watch?.(looks.add);
    },
    stop: async () => {
      watch?.stop();
      stopping.abort();
      await Promise.all([loop, looks.idle()]);
    },
  };
}

/** One look at every model whose champion counts and that nobody has looked at for half a period. */
export async function pollAll(context: WatchContext, everyMs: number, signal: AbortSignal): Promise<void> {
  const { book, clock } = context;
  const seen = new Map((await book.list()).map(({ model, lookedAt }) => [model, Date.parse(lookedAt)]));
  const due = (await watched(context)).filter(({ name }) => clock.now() - (seen.get(name) ?? 0) >= everyMs / 2);
  const gates = new Map<RegistryKind, Gate>();
  const inTurn = ({ source: { registry } }: ModelFile): Gate => {
    const known = gates.get(registry) ?? gate(WIDTH);
    gates.set(registry, known);
    return known;
  };
  const one = async (file: ModelFile) => {
    if (!signal.aborted) await lookOnce(file.name, context);
  };
  await Promise.all(due.map((file) => inTurn(file)(() => one(file))));
}

async function watched({ repository, models }: WatchContext): Promise<ModelFile[]> {
  const head = await repository.head(0);
  const files: ModelFile[] = [];
  for (const name of await modelNames(repository, head)) {
    const file = await models.at(head, name);
    if (file?.approves !== undefined) files.push(file);
  }
  return files;
}

/** false: somebody else looks at it. One model's trouble is nobody else's. */
async function lookOnce(model: string, context: ChampionContext): Promise<boolean> {
  try {
    return (await look(model, context)).kind !== 'busy';
  } catch (error) {
    context.log.info({ model, reason: redact((error as Error).message) }, 'a champion has to wait');
    return true;
  }
}

async function patiently(model: string, context: ChampionContext, signal: AbortSignal): Promise<void> {
  for (let turn = 0; turn < BUSY_TRIES && !signal.aborted; turn += 1) {
    if (await lookOnce(model, context)) return;
    await pause(BUSY_MS, signal);
  }
}

/** Runs `work` for each name, once at a time; what is added meanwhile runs once more. */
function coalesced(work: (name: string) => Promise<void>) {
  const running = new Map<string, { again: boolean; readonly done: Promise<void> }>();
  const run = async (name: string) => {
    do {
      const entry = running.get(name);
      if (entry !== undefined) entry.again = false;
      await work(name);
    } while (running.get(name)?.again === true);
    running.delete(name);
  };
  return {
    add: (name: string): void => {
      const known = running.get(name);
      if (known !== undefined) known.again = true;
      else {
        // The entry must be there before the work looks for it.
        const done = Promise.resolve().then(() => run(name));
        running.set(name, { again: false, done });
      }
    },
    idle: async () => {
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
