import type { ServerResponse } from 'node:http';
import { apiVersionOf, kindKey } from '../kinds.ts';
import type { KubeObject } from '../objects.ts';
import { refusal, statusOf } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import type { Matches } from '../store/selectors.ts';
import type { StoreEvent } from '../store/store.ts';
import type { Target } from './target.ts';

type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: object;
};

/** A watcher that falls this far behind is cut off; it reads the list again. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
const BOOKMARK_MS = 30_000;
/** The last bookmark comes this long before a watch ends, so that its follower starts where it ended. */
const LAST_BOOKMARK_MS = 2_000;
/** client-go's default when the request names none. */
const DEFAULT_TIMEOUT_S = 1800;

/**
 * How a change looks through a selector: an object that begins to match is ADDED, one that ceases to match is DELETED,
 * one that never matched is not seen.
 */
export function seenThrough(event: StoreEvent, matches: Matches): WatchEvent | undefined {
  const now = event.type !== 'DELETED' && matches(event.object);
  const before = event.previous !== undefined && matches(event.previous);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: event.object };
  return before ? { type: 'DELETED', object: event.object } : undefined;
}

/** Streams the changes of a collection until the client leaves or `timeoutSeconds` have passed. */
export function serveWatch(
  registry: Registry,
  target: Target,
  matches: Matches,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const send = (event: WatchEvent) => {
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > MAX_PENDING_BYTES) response.destroy();
  };
  const wanted: Matches = (object) =>
    (target.namespace === undefined || object.metadata.namespace === target.namespace) && matches(object);
  const pass = (event: StoreEvent) => {
    const seen = event.kind === kindKey(target.kind) ? seenThrough(event, wanted) : undefined;
    if (seen) send(seen);
  };
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }).flushHeaders();
  const backlog = startOf(registry, target, query);
  if (backlog === 'gone') {
    const message = `too old resource version: ${query.get('resourceVersion')} (${registry.store.version()})`;
    send({ type: 'ERROR', object: statusOf(refusal('Expired', message)) });
    response.end();
    return;
  }
  for (const object of backlog.initial.filter(wanted)) send({ type: 'ADDED', object });
  for (const event of backlog.events) pass(event);
  const bookmark = (annotations: object) => send(bookmarkAt(target, registry.store.version(), annotations));
  if (query.get('sendInitialEvents') === 'true') bookmark({ 'k8s.io/initial-events-end': 'true' });
  const unsubscribe = registry.store.subscribe(pass);
  const lastsMs = 1000 * (Number(query.get('timeoutSeconds')) || DEFAULT_TIMEOUT_S);
  const timers = [setTimeout(() => response.end(), lastsMs)];
  if (query.get('allowWatchBookmarks') === 'true') {
    timers.push(setInterval(() => bookmark({}), BOOKMARK_MS));
    if (lastsMs > LAST_BOOKMARK_MS) timers.push(setTimeout(() => bookmark({}), lastsMs - LAST_BOOKMARK_MS));
  }
  response.once('close', () => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
  });
}

/** Where a watch starts: everything there is now (no version, or 0), or the events after a version. */
function startOf(
  registry: Registry,
  { kind, namespace }: Target,
  query: URLSearchParams,
): { initial: KubeObject[]; events: StoreEvent[] } | 'gone' {
  const version = query.get('resourceVersion') ?? '';
  if (version === '' || version === '0' || query.get('sendInitialEvents') === 'true')
    return { initial: registry.list(kind, namespace), events: [] };
  const events = registry.store.eventsSince(Number(version));
  return events === 'gone' ? 'gone' : { initial: [], events };
}

function bookmarkAt({ kind }: Target, version: number, annotations: object): WatchEvent {
  const metadata = { resourceVersion: String(version), creationTimestamp: null, annotations };
  return { type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } };
}
