import { type Clock, deliverCard } from '@fairway/core';
import { postJson } from '@fairway/remote';
import type { Notifier } from '../../ports.ts';

const TIMEOUT_MS = 15_000;

/** Posts Adaptive Cards to a Teams workflow. The URL is a secret as a whole: it is in no error and no log. */
export function teamsNotifier(url: string, clock: Clock): Notifier {
  return { send: (content) => deliverCard(content, (body) => postJson(url, body, {}, TIMEOUT_MS), clock) };
}
