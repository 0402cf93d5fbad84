import { gate, type Logger, type Part, pause, redact } from '@fairway/core';
import type { Channel, ChannelContent, Delivery, DeliveryResult, Metrics, NotifierAnswer, Outbox } from '../ports.ts';
import { retryDelay } from './retry.ts';

const IDLE_MS = 500;

/** Who takes what a channel carries. */
export type Sender<C extends Channel> = {
  readonly channel: C;
  readonly send: (content: ChannelContent[C]) => Promise<NotifierAnswer>;
  /** How many are sent at the same time: one that hangs holds up that many less. */
  readonly parallel: number;
  /** A delivery this old is given up; undefined: never. */
  readonly giveUpAfterMs?: number;
};

/** Sends what the outbox holds for a channel, at least once each, oldest first. It never holds up a change, nor another channel. */
export function relay<C extends Channel>(outbox: Outbox, sender: Sender<C>, metrics: Metrics, log: Logger): Part {
  const { channel } = sender;
  const stopping = new AbortController();
  let loops: Promise<unknown> | undefined;

  const send = async (delivery: Delivery<C>): Promise<DeliveryResult> => {
    const result = await attempt(sender, delivery);
    metrics.notified(channel, result.kind);
    if (result.kind === 'dead') log.warn({ channel, reason: result.reason }, 'a notification was refused');
    return result;
  };
  const relayOne = async (taken: () => void): Promise<boolean> => {
    try {
      return await outbox.relay(channel, (delivery) => (taken(), send(delivery)));
    } catch (error) {
      log.warn({ channel, reason: redact((error as Error).message) }, 'the outbox cannot be read');
      return false;
    }
  };
  /** One asks for all, and the next one asks as soon as something is taken: an empty outbox is not asked by each. */
  const asking = gate(1);
  const take = () =>
    asking(async () => {
      while (!stopping.signal.aborted) {
        const taken = signalled();
        const sent = relayOne(taken.give);
        if (await Promise.race([taken.given, sent])) return { sent };
        await pause(IDLE_MS, stopping.signal);
      }
      return undefined;
    });
  const run = async () => {
    while (!stopping.signal.aborted) {
      const one = await take();
      // Taken, but the outbox does not say so: it is asked again later.
      if (one !== undefined && !(await one.sent)) await pause(IDLE_MS, stopping.signal);
    }
  };
  return {
    name: `${channel} relay`,
    start: () => {
      loops = Promise.all(Array.from({ length: sender.parallel }, run));
    },
    stop: async () => {
      stopping.abort();
      await loops;
    },
  };
}

function signalled(): { readonly given: Promise<true>; readonly give: () => void } {
  let give = () => {};
  const given = new Promise<true>((resolve) => (give = () => resolve(true)));
  return { given, give: () => give() };
}

/** What became of one try: its age decides whether there is another. */
async function attempt<C extends Channel>(sender: Sender<C>, delivery: Delivery<C>): Promise<DeliveryResult> {
  const answer = await sender.send(delivery.content);
  if (answer.kind !== 'retry') return answer;
  const { afterMs = 0, reason = 'It does not answer.' } = answer;
  const delayMs = Math.max(retryDelay('notify.unavailable', delivery.attempts + 1) ?? 0, afterMs);
  const { giveUpAfterMs = Number.POSITIVE_INFINITY } = sender;
  if (delivery.ageMs + delayMs <= giveUpAfterMs) return { kind: 'retry', delayMs, reason };
  return { kind: 'dead', reason: `${reason} Given up after ${Math.round(delivery.ageMs / 3_600_000)} h.` };
}
