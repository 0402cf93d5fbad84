import { asFairwayError, type CardAnswer, type Logger, sha256 } from '@fairway/core';
import type { Channel, DueDelivery, NotificationStore, Notifier, Settled } from '../ports/notify.ts';
import type { DueItem, Settlement } from '../ports.ts';

/** A message that its channel did not take for a day is news no more. */
const GIVE_UP_MS = 24 * 3_600_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 300_000;

/** Doubles from 1 s to 5 min; up to a quarter is added, by a hash, so that many items do not come back together. */
export function retryDelay(deliveryId: string, attempts: number): number {
  const base = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts, 20));
  const spread = Number.parseInt(sha256(`${deliveryId}/${attempts}`).slice(0, 4), 16) / 0xffff;
  return Math.round(base * (1 + spread / 4));
}

/** Sends one due delivery of a channel; false when none was due. */
export function sendDelivery(
  store: Pick<NotificationStore, 'attempt'>,
  channel: Channel,
  notifier: Notifier,
  log: Logger,
): Promise<boolean> {
  return store.attempt(channel, async (due) => {
    const settled = settle(due, await notifier.send(due.content));
    const { state, reason } = settled;
    if (state === 'dead') log.warn({ channel, delivery: due.deliveryId, reason }, 'message given up');
    else if (state === 'pending') log.info({ channel, delivery: due.deliveryId, reason }, 'message waits');
    return settled;
  });
}

function settle({ deliveryId, attempts, ageMs }: DueDelivery, answer: CardAnswer): Settled {
  if (answer.kind === 'dead') return { state: 'dead', reason: answer.reason };
  if (answer.kind === 'accepted') {
    return { state: 'accepted', ...(answer.reason === undefined ? {} : { reason: answer.reason }) };
  }
  const { afterMs = 0, reason = 'The channel does not answer.' } = answer;
  const delayMs = Math.max(afterMs, retryDelay(deliveryId, attempts));
  if (ageMs <= GIVE_UP_MS) return { state: 'pending', delayMs, pauseMs: afterMs, reason };
  return { state: 'dead', reason: `${reason} Given up after ${Math.round(ageMs / 3_600_000)} h.` };
}

/** What a failed attempt leads to: a terminal error is final, anything else is tried again. */
export function settleFailure(item: DueItem, thrown: unknown): Settlement {
  const { disposition, message } = asFairwayError(thrown);
  if (disposition === 'terminal') return { state: 'dead', reason: message };
  return { state: 'pending', delayMs: retryDelay(item.deliveryId, item.attempts), reason: message };
}
