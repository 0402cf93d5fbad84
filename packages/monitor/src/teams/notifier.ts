import { classifyAnswer, type Clock } from '@fairway/core';
import axios, { isAxiosError } from 'axios';
import type { Notifier } from '../ports.ts';

const TIMEOUT_MS = 10_000;

/**
 * Posts cards to a Teams workflow. The URL is the secret: it is in no log and no error. Answers are taken as text and sized,
 * because a wrong URL may answer with any page.
 */
export function teamsNotifier(webhookUrl: string, clock: Clock): Notifier {
  return {
    send: async (card) => {
      try {
        const { status, headers } = await axios.post(webhookUrl, card, {
          timeout: TIMEOUT_MS,
          maxContentLength: 1024 * 1024,
          maxRedirects: 0,
          responseType: 'text',
          validateStatus: () => true,
        });
        return classifyAnswer(status, retryAfter(headers['retry-after']), clock.now());
      } catch (error) {
        return classifyAnswer(isAxiosError(error) ? error.response?.status : undefined);
      }
    },
  };
}

const retryAfter = (header: unknown): string | undefined => (typeof header === 'string' ? header : undefined);
