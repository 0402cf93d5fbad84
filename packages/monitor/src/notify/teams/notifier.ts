import { type Clock, deliverCard } from '@fairway/core';
import { postJson } from '@fairway/remote';
import type { Notifier } from '../../ports/notify.ts';

const TIMEOUT_MS = 10_000;

/** Posts cards to a Teams workflow. The URL is the secret: it is in no log and no error. */
export function teamsNotifier(url: string, clock: Clock, timeoutMs = TIMEOUT_MS): Notifier {
  return { send: (content) => deliverCard(content, (body) => postJson(url, body, {}, timeoutMs), clock) };
}
