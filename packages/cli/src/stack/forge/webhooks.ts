import { type Logger, pause, urlOrigin } from '@fairway/core';
import { createHmac, randomUUID } from 'node:crypto';
import type { Counters } from '../web/counters.ts';
import type { HookState } from './state.ts';

/** Gitea's event types that the forge sends, and what `X-Gitea-Event` calls them. */
const EVENTS = {
  push: 'push',
  pull_request: 'pull_request',
  pull_request_sync: 'pull_request',
  pull_request_comment: 'issue_comment',
} as const;
export type EventType = keyof typeof EVENTS;

/** Pauses before the second, third … attempt, ms. */
const RETRY_AFTER_MS = [500, 2_000, 8_000];
const ANSWER_TIMEOUT_MS = 5_000;
/** Deliveries waiting for one hook; beyond it the oldest is given up. A webhook is a hint, receivers look for themselves. */
const MAX_WAITING = 1_000;

export type Webhooks = {
  /** Queues a delivery; returns at once. Deliveries of one hook go out in order. */
  send(repository: string, hook: HookState, event: EventType, payload: object): void;
  /** Gives up what is waiting and ends running attempts. */
  stop(): void;
};

/** As Gitea reads a subscription: `pull_request` stands for every pull request event, comments included. */
export function isWanted(hook: Pick<HookState, 'active' | 'events'>, event: EventType): boolean {
  if (!hook.active) return false;
  if (event === 'push') return hook.events.includes('push');
  const own = event === 'pull_request' ? 'pull_request_only' : event;
  return hook.events.includes('pull_request') || hook.events.includes(own);
}

type Delivery = { readonly hook: HookState; readonly event: EventType; readonly body: string; readonly id: string };

export function webhooks(log: Logger, counters: Counters): Webhooks {
  const waiting = new Map<string, Delivery[]>();
  const stopping = new AbortController();

  const work = async (key: string, queue: Delivery[]) => {
    for (let next = queue[0]; next && !stopping.signal.aborted; next = queue[0]) {
      await deliver(next, stopping.signal, log, counters);
      if (queue[0] === next) queue.shift();
    }
    waiting.delete(key);
  };
  return {
    send: (repository, hook, event, payload) => {
      if (stopping.signal.aborted) return;
      const key = `${repository}#${hook.id}`;
      const delivery = { hook, event, body: JSON.stringify(payload, undefined, 2), id: randomUUID() };
      const queue = waiting.get(key);
      if (!queue) {
        const fresh = [delivery];
        waiting.set(key, fresh);
        void work(key, fresh);
        return;
      }
      queue.push(delivery);
      // The first is being sent; it stays.
      if (queue.length > MAX_WAITING) queue.splice(1, 1);
    },
    stop: () => stopping.abort(),
  };
}

async function deliver(delivery: Delivery, signal: AbortSignal, log: Logger, counters: Counters): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const outcome = await post(delivery, signal);
    counters.add('forge_webhook_attempts_total', { outcome: typeof outcome === 'number' ? outcome : 'no-answer' });
    if (typeof outcome === 'number' && outcome < 300) return;
    const fields = { to: urlOrigin(delivery.hook.url), event: delivery.event, outcome, attempt: attempt + 1 };
    const wait = RETRY_AFTER_MS[attempt];
    const final = wait === undefined || (typeof outcome === 'number' && outcome < 500 && outcome !== 429);
    log.warn(fields, final ? 'webhook given up' : 'webhook failed, will try again');
    if (final) return;
    await pause(wait, signal);
  }
}

/** The answer's status, or why there was none. */
async function post({ hook, event, body, id }: Delivery, signal: AbortSignal): Promise<number | string> {
  const form = hook.contentType === 'form';
  const sent = form ? new URLSearchParams({ payload: body }).toString() : body;
  try {
    const answer = await fetch(hook.url, {
      method: 'POST',
      headers: {
        'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
        ...eventHeaders(event, id),
        ...signatures(hook.secret, body),
      },
      body: sent,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    return (error as Error).name;
  }
}

/** The same three names in Gitea's, Gogs' and GitHub's headers. */
function eventHeaders(event: EventType, id: string): Record<string, string> {
  const of = (brand: string) => ({
    [`X-${brand}-Delivery`]: id,
    [`X-${brand}-Event`]: EVENTS[event],
    [`X-${brand}-Event-Type`]: event,
  });
  return { ...of('Gitea'), ...of('Gogs'), ...of('GitHub') };
}

/** Over the JSON payload, also when it is sent as a form; empty without a secret. */
function signatures(secret: string, payload: string): Record<string, string> {
  const sign = (hash: string) => (secret === '' ? '' : createHmac(hash, secret).update(payload).digest('hex'));
  const [sha256, sha1] = [sign('sha256'), sign('sha1')];
  return {
    'X-Gitea-Signature': sha256,
    'X-Gogs-Signature': sha256,
    'X-Hub-Signature': `sha1=${sha1}`,
    'X-Hub-Signature-256': `sha256=${sha256}`,
  };
}
