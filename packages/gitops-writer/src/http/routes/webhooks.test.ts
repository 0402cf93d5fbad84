import { silentLogger } from '@fairway/core';
import { expect, it } from 'vitest';
import type { ApiContext } from '../context.ts';
import { webhooks } from './webhooks.ts';

/** Event headers as each forge sends them; Gitea and Forgejo send those of the forges they stem from, too. */
const HEADERS = {
  github: { 'x-github-event': 'push' },
  gitlab: { 'x-gitlab-event': 'Push Hook' },
  gitea: { 'x-gitea-event': 'push', 'x-gogs-event': 'push', 'x-github-event': 'push' },
  forgejo: { 'x-forgejo-event': 'push', 'x-gitea-event': 'push', 'x-gogs-event': 'push', 'x-github-event': 'push' },
} as const;
type Name = keyof typeof HEADERS;

/** Delivers to a writer whose forge is `configured`, and whose reader believes everything; answers the status or the refusal. */
async function deliver(configured: string, path: string, sender: Name): Promise<string> {
  const context = {
    webhook: {
      forge: configured,
      reader: { read: () => ({ kind: 'accepted', id: '1', branches: ['main'] }) },
      secrets: ['s'],
      deliveries: { take: () => Promise.resolve([]) },
      base: 'main',
    },
    clock: { now: () => 0 },
    wake: () => Promise.resolve(),
    log: silentLogger,
  } as unknown as ApiContext;
  const call = {
    params: { forge: path },
    query: {},
    body: Buffer.from('{}'),
    headers: HEADERS[sender],
    caller: undefined,
  };
  try {
    return String((await webhooks[0]?.run(call, context))?.status);
  } catch (error) {
    return (error as Error).message;
  }
}

const names = Object.keys(HEADERS) as Name[];
const kin = (one: string, other: string) =>
  one === other || (['gitea', 'forgejo'].includes(one) && ['gitea', 'forgejo'].includes(other));

it.each(names)('a writer of %s takes what its forge sends to its path, and nothing else', async (configured) => {
  for (const path of names) {
    for (const sender of names) {
      const answer = await deliver(configured, path, sender);
      if (kin(configured, path) && kin(configured, sender)) expect(answer).toBe('204');
      else expect(answer).toContain(`This writer listens to ${configured} (FORGE), not to`);
    }
  }
});
