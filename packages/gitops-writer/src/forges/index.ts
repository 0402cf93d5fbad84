import type { Forge } from '../ports.ts';
import { giteaClient } from './gitea/client.ts';
import { giteaForge } from './gitea/forge.ts';
import { branchesOf, isSigned } from './gitea/webhook.ts';

type ForgeAccess = {
  readonly url: string;
  /** owner/name */
  readonly repository: string;
  readonly token: string;
  /** Branch that pull requests go to. */
  readonly base: string;
};

/** How a forge's webhook is verified and read. */
export type WebhookReader = {
  readonly signatureHeader: string;
  isSigned(body: Buffer, signature: string | undefined, secret: string): boolean;
  branchesOf(body: Buffer): string[];
};

export type ForgeKind = { open(access: ForgeAccess): Forge; readonly webhook: WebhookReader };

/** To add a forge: its folder and one line here. */
export const FORGES = {
  gitea: {
    open: ({ url, repository, token, base }) => giteaForge(giteaClient(url, repository, token), base),
    webhook: { signatureHeader: 'x-gitea-signature', isSigned, branchesOf },
  },
} as const satisfies Record<string, ForgeKind>;
