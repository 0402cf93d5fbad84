import { buildCard, classifyAnswer, type Clock } from '@fairway/core';
import { create } from 'axios';
import type { Notifier } from '../../ports.ts';

/** Posts Adaptive Cards to a Teams workflow. The URL is a secret as a whole: it is in no error and no log. */
export function teamsNotifier(url: string, clock: Clock): Notifier {
  const http = create({ timeout: 15_000, maxRedirects: 0, validateStatus: () => true });
  return {
    send: async (content) => {
      try {
        const { status, headers } = await http.post<unknown>(url, buildCard(content));
        const retryAfter = headers['retry-after'] as string | undefined;
        return classifyAnswer(status, retryAfter, clock.now());
      } catch {
        return classifyAnswer(undefined);
      }
    },
  };
}
