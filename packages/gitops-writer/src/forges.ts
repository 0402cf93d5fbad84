import { giteaClient } from './forges/gitea/client.ts';
import { giteaForge } from './forges/gitea/forge.ts';
import { branchesOf, isSigned } from './forges/gitea/webhook.ts';
import type { Forge, WebhookReader } from './ports.ts';

type ForgeAccess = {
  readonly url: string;
  /** owner/name */
  readonly repository: string;
  readonly token: string;
  /** Branch that pull requests go to. */
  readonly base: string;
};

type ForgeKind = { open(access: ForgeAccess): Forge; readonly webhook: WebhookReader };

/** To add a forge: its folder and one line here. */
export const FORGES = {
  gitea: {
    open: ({ url, repository, token, base }) => giteaForge(giteaClient(url, repository, token), base),
    webhook: { signatureHeader: 'x-gitea-signature', isSigned, branchesOf },
  },
} as const satisfies Record<string, ForgeKind>;
