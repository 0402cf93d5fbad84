import type { Clock } from '@fairway/core';
import { addressOf } from './forges/github/address.ts';
import { githubForge } from './forges/github/forge.ts';
import { githubWebhook } from './forges/github/webhook.ts';
import { giteaForge } from './forges/gitea/forge.ts';
import { giteaWebhook } from './forges/gitea/webhook.ts';
import { gitlabForge } from './forges/gitlab/forge.ts';
import { gitlabWebhook } from './forges/gitlab/webhook.ts';
import type { Forge, ForgeLimits, GitCredentials, SharedCalls, WebhookReader } from './ports.ts';

type ForgeAccess = {
  readonly url: string;
  /** owner/name */
  readonly repository: string;
  readonly credentials: GitCredentials;
  /** Told of a token that is no longer taken, where there can be another. */
  readonly refused?: ((token: string) => void) | undefined;
  /** Branch that pull requests go to. */
  readonly base: string;
  readonly clock: Clock;
  /** Where calls are counted for all replicas, of hosts that publish limits. */
  readonly shared?: SharedCalls | undefined;
};

type ForgeKind = { open(access: ForgeAccess): Forge; readonly webhook: WebhookReader; readonly limits: ForgeLimits };

/** To add a forge: its folder and one line here. */
export const FORGES = {
  gitea: {
    open: giteaForge,
    webhook: giteaWebhook,
    limits: { body: 1_000_000 },
  },
  github: {
    open: ({ url, credentials, refused, ...access }) =>
      githubForge({ ...access, address: addressOf(url), credentials: { current: credentials, refused } }),
    webhook: githubWebhook,
    limits: { body: 65_536 },
  },
  gitlab: {
    open: gitlabForge,
    webhook: gitlabWebhook,
    limits: { body: 1_000_000 },
  },
} as const satisfies Record<string, ForgeKind>;
