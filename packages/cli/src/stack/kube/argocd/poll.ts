import { type Logger, pause } from '@fairway/core';
import { APPLICATION, APPLICATION_SET } from '../kinds.ts';
import { isRecord } from '../objects.ts';
import type { Registry } from '../store/registry.ts';
import { type Repositories, sameRepository } from './repositories.ts';

/** Looks for new commits: every `pollMs`, and at once when a forge's webhook says so. */
export type Poller = { start(): void; stop(): Promise<void>; webhook(body: unknown): void };

export function gitPoller(
  registry: Registry,
  repositories: Repositories,
  namespace: string,
  pollMs: number,
  log: Logger,
): Poller {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const failing = new Set<string>();

  const refresh = async (url: string): Promise<void> => {
    try {
      await repositories.refresh(url);
      failing.delete(url);
    } catch (error) {
      // Said once, not at every turn; Applications say it themselves when they are refreshed.
      if (!failing.has(url)) log.warn({ reason: (error as Error).message }, 'repository cannot be read');
      failing.add(url);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await Promise.all(usedRepositories(registry, namespace).map(refresh));
      await pause(pollMs, stopping.signal);
    }
  };
  return {
    start: () => void (running = loop()),
    async stop() {
      stopping.abort();
      await running;
    },
    webhook(body) {
      const named = repositoryUrls(body);
      for (const url of usedRepositories(registry, namespace))
        if (named.some((name) => sameRepository(name, url))) void refresh(url);
    },
  };
}

function usedRepositories(registry: Registry, namespace: string): string[] {
  const apps = registry.list(APPLICATION, namespace).map(({ spec }) => spec.source.repoURL);
  const sets = registry
    .list(APPLICATION_SET, namespace)
    .flatMap(({ spec }) => spec.generators.flatMap(({ git }) => git?.repoURL ?? []));
  return [...new Set([...sets, ...apps])];
}

/** URLs of the repository in a push payload of Gitea, GitHub or GitLab. */
function repositoryUrls(body: unknown): string[] {
  if (!isRecord(body)) return [];
  const sources = [body['repository'], body['project']].filter(isRecord);
  const names = ['clone_url', 'html_url', 'git_http_url', 'web_url', 'homepage'];
  return sources.flatMap((source) => names.map((name) => source[name])).filter((url) => typeof url === 'string');
}
