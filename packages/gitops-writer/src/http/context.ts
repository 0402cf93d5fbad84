import type { IntakeContext } from '../app/intake.ts';
import type { LookContext } from '../app/live/look.ts';
import type { QueryContext } from '../app/queries.ts';
import type { RebuildReport } from '../app/rebuild.ts';
import type { Deliveries, HookClaim, Inbox, Outbox, RegistryKind, WebhookReader } from '../ports.ts';
import type { Authenticate } from './auth/authenticate.ts';

/** What the routes work with. */
export type ApiContext = IntakeContext &
  QueryContext &
  LookContext & {
    readonly outbox: Outbox;
    readonly authenticate: Authenticate;
    readonly webhook: WebhookDoor;
    readonly hooks: HookDoor;
    readonly rebuild: () => Promise<RebuildReport>;
    /** Called when there is something to do at once. */
    readonly wake: (ids: readonly string[]) => Promise<void>;
    /** Called with changes that are new. */
    readonly enqueue: (ids: readonly string[]) => Promise<void>;
  };

/** What comes from model registries. */
export type HookDoor = {
  readonly inbox: Inbox;
  /** Registries that this writer is connected to. */
  readonly connected: readonly RegistryKind[];
  /** Verifies MLflow's own signature; undefined where no secret is set. */
  readonly mlflow: ((delivery: SignedDelivery) => MlflowVerdict) | undefined;
};

export type SignedDelivery = {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** ms. */
  readonly now: number;
};

/** `noise`: proven, and about nothing that could make a champion. `reason`: follows "refused: ". */
export type MlflowVerdict =
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'noise' }
  | { readonly kind: 'hint'; readonly id: string; readonly claim: Pick<HookClaim, 'type' | 'names'> };

/** What comes from the forge, and how it is believed. */
export type WebhookDoor = {
  /** Kind of the forge that may deliver. */
  readonly forge: string;
  readonly reader: WebhookReader;
  /** During a rotation two. */
  readonly secrets: readonly string[];
  readonly deliveries: Deliveries;
  /** Default branch of the GitOps repository. */
  readonly base: string;
};
