import { CustomObjectsApi, type KubeConfig, Watch } from '@kubernetes/client-node';
import type { Clock, Logger, Part } from '@fairway/core';
import type { Application, ApplicationFeed } from '../ports.ts';
import { toApplication } from './application.ts';
import { inTime } from './call.ts';
import { type Collection, reflector, type Sink } from './reflector.ts';

const ARGO = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' };
const PAGE = 500;
/** The server ends a watch after this; the client a little later, should the connection be dead. */
const WATCH_S = 300;
const CONNECT_MS = 30_000;

export type ApplicationCache = {
  /** What the watch says; `unknown` while it is not up to date, then the API server has to be asked. */
  look(name: string): Application | undefined | 'unknown';
  /** All that can be read; undefined while the watch is not up to date. */
  readonly all: () => readonly Application[] | undefined;
};

/** All Applications of a namespace, watched; kept are only the fields that decide what is live. */
export function applicationCache(
  config: KubeConfig,
  namespace: string,
  clock: Clock,
  log: Logger,
): ApplicationCache & ApplicationFeed & Part {
  const known = new Map<string, Application | 'unknown'>();
  const listeners: Array<(name: string) => void> = [];
  const tell = (name: string) => {
    for (const listener of listeners) listener(name);
  };
  const watching = reflector('applications', collection(config, namespace), keeping(known, tell), clock, log);
  return {
    name: 'applications',
    start: () => watching.start(),
    stop: () => watching.stop(),
    look: (name) => (watching.current() ? known.get(name) : 'unknown'),
    all: () => (watching.current() ? [...known.values()].filter((one) => one !== 'unknown') : undefined),
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Tells names whose Application is not what it was; the first list is not news. */
function keeping(known: Map<string, Application | 'unknown'>, tell: (name: string) => void): Sink {
  let begun = false;
  const put = (name: string, item: unknown) => {
    const next = reduced(item);
    const same = JSON.stringify(known.get(name)) === JSON.stringify(next);
    known.set(name, next);
    if (!same && begun) tell(name);
  };
  const remove = (name: string) => {
    if (known.delete(name)) tell(name);
  };
  return {
    listing: () => {
      const names = new Set<string>();
      return {
        page: (items) => {
          for (const item of items) {
            names.add(nameOf(item));
            put(nameOf(item), item);
          }
        },
        done: () => {
          for (const name of known.keys()) if (!names.has(name)) remove(name);
          begun = true;
        },
      };
    },
    put: (item) => put(nameOf(item), item),
    remove: (item) => remove(nameOf(item)),
  };
}

const nameOf = (item: unknown): string => (item as { metadata?: { name?: string } } | null)?.metadata?.name ?? '';

/** One that cannot be read must not end the watch of all; whoever needs it is told why by a read of its own. */
function reduced(item: unknown): Application | 'unknown' {
  try {
    return toApplication(item);
  } catch {
    return 'unknown';
  }
}

function collection(config: KubeConfig, namespace: string): Collection {
  const custom = config.makeApiClient(CustomObjectsApi);
  const watch = new Watch(config);
  const path = `/apis/${ARGO.group}/${ARGO.version}/namespaces/${namespace}/${ARGO.plural}`;
  return {
    list: async (next) => {
      const page = { ...ARGO, namespace, limit: PAGE, ...(next === undefined ? {} : { _continue: next }) };
      const answer = (await inTime(() => custom.listNamespacedCustomObject(page), CONNECT_MS)) as ListAnswer;
      const { resourceVersion = '', continue: more = '' } = answer.metadata ?? {};
      return { items: answer.items ?? [], version: resourceVersion, ...(more === '' ? {} : { next: more }) };
    },
    watch: (resourceVersion, opened, event, signal) => {
      const query = { resourceVersion, allowWatchBookmarks: true, timeoutSeconds: WATCH_S };
      const connect = (callback: (type: string, object: unknown) => void, done: (error: unknown) => void) =>
        watch.watch(path, query, callback, done);
      return stream(connect, opened, event, signal);
    },
  };
}

type ListAnswer = {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly unknown[];
};
type Connect = (
  callback: (type: string, object: unknown) => void,
  done: (error: unknown) => void,
) => Promise<AbortController>;

/** The client's watch as a promise that always ends: with the stream, with `signal`, or when connecting or the stream takes too long. */
function stream(
  connect: Connect,
  opened: () => void,
  event: (event: { type: string; object: unknown }) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let request: AbortController | undefined;
    let over = false;
    const end = (error: unknown) => {
      if (over) return;
      over = true;
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      request?.abort();
      if (error === null || error === undefined || signal.aborted) resolve();
      else reject(error);
    };
    const stop = () => end(undefined);
    let late = setTimeout(() => end(new Error(`the watch was not opened within ${CONNECT_MS} ms`)), CONNECT_MS);
    signal.addEventListener('abort', stop, { once: true });
    const heard = (type: string, object: unknown) => {
      if (!over) event({ type, object });
    };
    connect(heard, end).then((controller) => {
      request = controller;
      if (over) return controller.abort();
      clearTimeout(late);
      late = setTimeout(stop, (WATCH_S + 30) * 1000);
      opened();
    }, end);
  });
}
