import { type Clock, FairwayError, hashFields } from '@fairway/core';
import { EVENT } from '../kinds.ts';
import { type KubeObject, kubeTime } from '../objects.ts';
import type { Registry } from '../store/registry.ts';

/** Says on an object what happened to it (`kubectl describe`, `kubectl get events`). */
export type EventRecorder = (about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;

const KEPT_PER_NAMESPACE = 300;

/** Records events as objects; the same one again only counts up. A namespace on its way out takes none. */
export function eventRecorder(registry: Registry, clock: Clock): EventRecorder {
  return (about, type, reason, message) => {
    const { name, namespace = 'default', uid } = about.metadata;
    const event = `${name}.${hashFields([uid, type, reason, message]).slice(0, 16)}`;
    const now = kubeTime(clock.now());
    const known = registry.get(EVENT, namespace, event);
    try {
      if (known) {
        registry.update(EVENT, { ...known, count: known.count + 1, lastTimestamp: now });
        return;
      }
      registry.create(EVENT, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: event, namespace },
        involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
        type,
        reason,
        message,
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component: 'fairway-kube' },
      });
      prune(registry, namespace);
    } catch (error) {
      // Events are a courtesy: a namespace that is gone or a full disk must not fail the work they tell of.
      if (!(error instanceof FairwayError)) throw error;
    }
  };
}

function prune(registry: Registry, namespace: string): void {
  const events = registry.list(EVENT, namespace);
  const oldest = events
    .sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1))
    .slice(0, Math.max(0, events.length - KEPT_PER_NAMESPACE));
  for (const { metadata } of oldest) registry.remove(EVENT, namespace, metadata.name);
}
