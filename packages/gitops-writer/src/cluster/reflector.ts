import { type Clock, type Logger, type Part, pause } from '@fairway/core';
import { whyNot } from './call.ts';

/** One page of a list; `next` continues it. */
export type Page = { readonly items: readonly unknown[]; readonly version: string; readonly next?: string };

export type WatchEvent = { readonly type: string; readonly object: unknown };

/** How a collection is listed and watched. */
export type Collection = {
  list(next: string | undefined): Promise<Page>;
  /**
   * Streams what happened after `version`. `opened` is called once the server has agreed. Resolves when the server ends
   * the stream or `signal` aborts, rejects when it breaks; the error of an expired version has `code` or `statusCode` 410.
   */
  watch(version: string, opened: () => void, event: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
};

export type Sink = {
  /** Begins to take the collection as a whole, page by page, so that the pages need not be held together. */
  listing(): { page(items: readonly unknown[]): void; done(): void };
  put(item: unknown): void;
  remove(item: unknown): void;
};

/** `current`: the watch is open, and has given a sign of life lately. */
export type Reflector = Part & { current(): boolean };

/** API servers send a bookmark about every minute; a connection that is silent for longer may be a dead one. */
const SILENT_MS = 120_000;
/** A watch that lasted this long was a good one. */
const GOOD_MS = 5_000;
const FIRST_DELAY_MS = 500;
const MOST_DELAY_MS = 30_000;

/** Milliseconds before the next try after `failures` in a row: doubling, with the upper half left to chance (`random` in [0, 1)). */
export function reconnectDelay(failures: number, random: number): number {
  const most = failures === 0 ? 100 : Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
  return most / 2 + (most / 2) * random;
}

/**
 * Keeps `sink` equal to a collection of the Kubernetes API: list, then watch from the list's version on. When the watch
 * ends it is opened again at the last version heard of (events and bookmarks), so nothing is missed; when that version has
 * expired (410 Gone, as status or as event) everything is listed again. Its own loop instead of the client's informer,
 * because that one reconnects without any delay, asks for no bookmarks, does not page, and keeps whole objects (at 5 000
 * Applications some hundred megabytes).
 */
export function reflector(
  name: string,
  collection: Collection,
  sink: Sink,
  clock: Clock,
  log: Logger,
  delay: (failures: number, random: number) => number = reconnectDelay,
): Reflector {
  const stopping = new AbortController();
  const state: State = { version: undefined, open: false, heardAt: 0, failures: 0 };
  let loop: Promise<void> | undefined;
  const run = async () => {
    while (!stopping.signal.aborted) {
      const began = clock.now();
      const error = await followed(collection, sink, state, clock, stopping.signal);
      state.open = false;
      if (stopping.signal.aborted) return;
      state.failures = clock.now() - began >= GOOD_MS && error === undefined ? 0 : state.failures + 1;
      report(name, error, state.failures, log);
      await pause(delay(state.failures, Math.random()), stopping.signal);
    }
  };
  return {
    name,
    current: () => state.open && clock.now() - state.heardAt < SILENT_MS,
    start: () => {
      loop ??= run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

type State = { version: string | undefined; open: boolean; heardAt: number; failures: number };

/** Lists when it has to, and watches until the stream ends; answers the error that ended it. */
async function followed(
  collection: Collection,
  sink: Sink,
  state: State,
  clock: Clock,
  signal: AbortSignal,
): Promise<Error | undefined> {
  try {
    state.version ??= await listed(collection, sink);
    const opened = () => {
      state.open = true;
      state.heardAt = clock.now();
    };
    const event = (seen: WatchEvent) => {
      state.heardAt = clock.now();
      if (!apply(seen, sink, state)) state.version = undefined;
    };
    await collection.watch(state.version, opened, event, signal);
    return undefined;
  } catch (error) {
    if (isGone(error)) state.version = undefined;
    return error as Error;
  }
}

async function listed(collection: Collection, sink: Sink): Promise<string> {
  const listing = sink.listing();
  let next: string | undefined;
  for (;;) {
    const page = await collection.list(next);
    listing.page(page.items);
    next = page.next;
    if (next !== undefined) continue;
    listing.done();
    return page.version;
  }
}

/** false: the version has expired, or the server is in trouble; either way the list is read again. */
function apply({ type, object }: WatchEvent, sink: Sink, state: State): boolean {
  if (type === 'ERROR') return false;
  // After an ERROR nothing that follows can be trusted to be complete.
  if (state.version === undefined) return false;
  if (type === 'ADDED' || type === 'MODIFIED') sink.put(object);
  else if (type === 'DELETED') sink.remove(object);
  const version = (object as { metadata?: { resourceVersion?: string } } | null)?.metadata?.resourceVersion;
  if (version !== undefined && version !== '') state.version = version;
  return true;
}

const isGone = (error: unknown): boolean => {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  return code === 410 || statusCode === 410;
};

/** Said once for a row of failures. */
function report(name: string, error: Error | undefined, failures: number, log: Logger): void {
  if (error === undefined || failures !== 1) return;
  log.warn({ watch: name, reason: whyNot(error) }, 'a watch broke; until it is back, objects are read one by one');
}
