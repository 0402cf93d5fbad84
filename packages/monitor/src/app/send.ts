import { asFairwayError, type Clock, type Logger, sha256 } from '@fairway/core';
import type { DueItem, Notifier, OutboxStore, Settlement } from '../ports.ts';

/** A card that no channel took for a day is news no more. */
const CARD_FOR_MS = 24 * 3_600_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 300_000;

/** Doubles from 1 s to 5 min; up to a quarter is added, by a hash, so that many items do not come back together. */
export function retryDelay(deliveryId: string, attempts: number): number {
  const base = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts, 20));
  const spread = Number.parseInt(sha256(`${deliveryId}/${attempts}`).slice(0, 4), 16) / 0xffff;
  return Math.round(base * (1 + spread / 4));
}

/** Sends one due card; false when none was due. */
export function sendCard(outbox: OutboxStore, notifier: Notifier, clock: Clock, log: Logger): Promise<boolean> {
  return outbox.attempt('card', async (item): Promise<Settlement> => {
    const answer = await notifier.send(item.payload);
    if (answer.kind === 'accepted') return { state: 'accepted' };
    if (answer.kind === 'dead') {
      log.warn({ delivery: item.deliveryId, reason: answer.reason }, 'card refused');
      return { state: 'dead', reason: answer.reason };
    }
    if (clock.now() - Date.parse(item.createdAt) > CARD_FOR_MS) {
      return { state: 'dead', reason: 'The channel did not take the card for a day.' };
    }
    const delayMs = Math.max(answer.afterMs ?? 0, retryDelay(item.deliveryId, item.attempts));
    return { state: 'pending', delayMs, reason: 'The channel did not take the card yet.' };
  });
}

/** What a failed attempt leads to: a terminal error is final, anything else is tried again. */
export function settleFailure(item: DueItem, thrown: unknown): Settlement {
  const { disposition, message } = asFairwayError(thrown);
  if (disposition === 'terminal') return { state: 'dead', reason: message };
  return { state: 'pending', delayMs: retryDelay(item.deliveryId, item.attempts), reason: message };
}
