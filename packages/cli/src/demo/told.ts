import { pause } from '@fairway/core';
import { patientJson } from '../stack/http.ts';
import type { Stack } from '../stack/stack.ts';

/** Events are gathered for two seconds before they leave; a channel that was killed is tried again after one and two. */
const PATIENCE_MS = 30_000;

/** Waits until writer and monitor have nothing left to tell; answers how many messages still wait after half a minute. */
export async function untilTold(stack: Stack): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const waiting = (await pending(stack, 'writer')) + (await pending(stack, 'monitor'));
    if (waiting === 0 || Date.now() > deadline) return waiting;
    await pause(150);
  }
}

async function pending({ urls, tokens }: Stack, service: 'writer' | 'monitor'): Promise<number> {
  const url = `${urls[service]}/v1/notifications?state=pending`;
  const answer = await patientJson<{ notifications: readonly unknown[] }>(`The ${service}`, url, {
    token: tokens[service],
  });
  return answer.notifications.length;
}
