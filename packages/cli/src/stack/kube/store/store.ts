import { type Kind, kindKey } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import type { Journal } from './journal.ts';

/** One change of one object. `previous` is what it was before; of a DELETED object, `object` is its last state. */
export type StoreEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly kind: string;
  readonly object: KubeObject;
  readonly previous?: KubeObject;
};

/** Objects by kind, namespace and name, with one counter for all versions. Every write is durable before it returns. */
export type Store = {
  get(kind: Kind, namespace: string, name: string): KubeObject | undefined;
  /** Sorted by namespace and name, as etcd does. */
  list(kind: Kind, namespace?: string): KubeObject[];
  put(kind: Kind, object: KubeObject): KubeObject;
  remove(kind: Kind, namespace: string, name: string): KubeObject | undefined;
  version(): number;
  /** Events after `version`, oldest first; `gone` when some of them are no longer kept. */
  eventsSince(version: number): StoreEvent[] | 'gone';
  /** Called after each write, in order. Answers the function that ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void;
};

/** How many events a late watcher can catch up on; older ones answer 410 Gone, as after etcd's compaction. */
const KEPT_EVENTS = 4096;

const keyOf = (kind: Kind, namespace: string, name: string) =>
  `${kindKey(kind)}|${kind.namespaced ? namespace : ''}|${name}`;

/** The store over a journal: starts with what the journal recovered. */
export function openStore(journal: Journal): Store {
  const objects = new Map(journal.recovered.objects);
  const listeners = new Set<(event: StoreEvent) => void>();
  const history: StoreEvent[] = [];
  let version = journal.recovered.version;
  let forgotten = version;

  const publish = (event: StoreEvent) => {
    history.push(event);
    if (history.length > KEPT_EVENTS * 2) {
      forgotten = history[KEPT_EVENTS - 1]?.version ?? forgotten;
      history.splice(0, KEPT_EVENTS);
    }
    for (const listener of listeners) listener(event);
  };
  return {
    get: (kind, namespace, name) => objects.get(keyOf(kind, namespace, name)),
    list(kind, namespace) {
      const prefix = namespace === undefined ? `${kindKey(kind)}|` : `${kindKey(kind)}|${namespace}|`;
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      return keys.map((key) => objects.get(key)).filter((object) => object !== undefined);
    },
    put(kind, object) {
      const key = keyOf(kind, object.metadata.namespace ?? '', object.metadata.name);
      const previous = objects.get(key);
      const next = { ...object, metadata: { ...object.metadata, resourceVersion: String(version + 1) } };
      journal.append({ version: version + 1, key, object: next });
      version += 1;
      objects.set(key, next);
      publish({
        type: previous ? 'MODIFIED' : 'ADDED',
        version,
        kind: kindKey(kind),
        object: next,
        ...(previous ? { previous } : {}),
      });
      return next;
    },
    remove(kind, namespace, name) {
      const key = keyOf(kind, namespace, name);
      const previous = objects.get(key);
      if (!previous) return undefined;
      journal.append({ version: version + 1, key, removed: true });
      version += 1;
      objects.delete(key);
      const object = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(version) } };
      publish({ type: 'DELETED', version, kind: kindKey(kind), object, previous });
      return object;
    },
    version: () => version,
    eventsSince: (since) => (since < forgotten ? 'gone' : history.filter((event) => event.version > since)),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
