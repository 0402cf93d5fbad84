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

/** The last events, oldest first, and the version before the oldest. */
type History = { add(event: StoreEvent): void; since(version: number): StoreEvent[] | 'gone' };

function historyFrom(version: number): History {
  const events: StoreEvent[] = [];
  let forgotten = version;
  return {
    add(event) {
      events.push(event);
      if (events.length <= KEPT_EVENTS * 2) return;
      forgotten = events[KEPT_EVENTS - 1]?.version ?? forgotten;
      events.splice(0, KEPT_EVENTS);
    },
    since: (since) => (since < forgotten ? 'gone' : events.filter((event) => event.version > since)),
  };
}

/** Objects by kind and key. */
type Table = Map<string, Map<string, KubeObject>>;

function tableOf(objects: ReadonlyMap<string, KubeObject>): Table {
  const table: Table = new Map();
  for (const [key, object] of objects) inKind(table, key.slice(0, key.indexOf('|'))).set(key, object);
  return table;
}

function inKind(table: Table, kind: string): Map<string, KubeObject> {
  const known = table.get(kind) ?? new Map<string, KubeObject>();
  table.set(kind, known);
  return known;
}

function listed(table: Table, kind: Kind, namespace: string | undefined): KubeObject[] {
  const wanted = ({ metadata }: KubeObject) => namespace === undefined || metadata.namespace === namespace;
  const entries = [...inKind(table, kindKey(kind))].filter(([, object]) => wanted(object));
  return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

/** The store over a journal: starts with what the journal recovered. */
export function openStore(journal: Journal): Store {
  const table = tableOf(journal.recovered.objects);
  const listeners = new Set<(event: StoreEvent) => void>();
  const history = historyFrom(journal.recovered.version);
  let version = journal.recovered.version;

  const publish = (event: StoreEvent): KubeObject => {
    version = event.version;
    history.add(event);
    for (const listener of listeners) listener(event);
    return event.object;
  };
  return {
    get: (kind, namespace, name) => table.get(kindKey(kind))?.get(keyOf(kind, namespace, name)),
    list: (kind, namespace) => listed(table, kind, namespace),
    put(kind, object) {
      const key = keyOf(kind, object.metadata.namespace ?? '', object.metadata.name);
      const previous = table.get(kindKey(kind))?.get(key);
      const event = { version: version + 1, kind: kindKey(kind), object: stamped(object, version + 1) };
      journal.append({ version: event.version, key, object: event.object });
      inKind(table, event.kind).set(key, event.object);
      return publish(previous ? { type: 'MODIFIED', ...event, previous } : { type: 'ADDED', ...event });
    },
    remove(kind, namespace, name) {
      const key = keyOf(kind, namespace, name);
      const previous = table.get(kindKey(kind))?.get(key);
      if (!previous) return undefined;
      const event = { version: version + 1, kind: kindKey(kind), object: stamped(previous, version + 1) };
      journal.append({ version: event.version, key, removed: true });
      inKind(table, event.kind).delete(key);
      return publish({ type: 'DELETED', ...event, previous });
    },
    version: () => version,
    eventsSince: (since) => history.since(since),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const stamped = (object: KubeObject, version: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
});
