import { type Logger, type Part, pause, redact } from '@fairway/core';
import type { Delivery, DeliveryResult, Metrics, Notifier, Outbox } from '../ports.ts';
import { retryDelay } from './retry.ts';

const IDLE_MS = 500;

/** Sends what the outbox holds, at least once each, oldest first. A notification never holds up a change. */
export function relay(outbox: Outbox, notifier: Notifier, metrics: Metrics, log: Logger): Part {
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;

  const send = async (delivery: Delivery): Promise<DeliveryResult> => {
    const result = await attempt(notifier, delivery);
    metrics.notified(result.kind);
    if (result.kind === 'dead')
      log.warn({ event: delivery.content.event, reason: result.reason }, 'a notification was refused');
    return result;
  };
  const relayOne = async (): Promise<boolean> => {
    try {
      return await outbox.relay(send);
    } catch (error) {
      log.warn({ reason: redact((error as Error).message) }, 'the outbox cannot be read');
      return false;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      if (await relayOne()) continue;
      await pause(IDLE_MS, stopping.signal);
    }
  };
  return {
    name: 'notification relay',
    start: () => {
      loop = run();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

async function attempt(notifier: Notifier, { content, attempts }: Delivery): Promise<DeliveryResult> {
  const answer = await notifier.send(content);
  if (answer.kind !== 'retry') return answer;
  const delayMs = retryDelay('notify.unavailable', attempts + 1) ?? 0;
  return { kind: 'retry', delayMs: Math.max(delayMs, answer.afterMs ?? 0) };
}
