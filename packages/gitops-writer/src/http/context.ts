import type { IntakeContext } from '../app/intake.ts';
import type { LookContext } from '../app/live/look.ts';
import type { QueryContext } from '../app/queries.ts';
import type { RebuildReport } from '../app/rebuild.ts';
import type { Deliveries, Outbox, WebhookReader } from '../ports.ts';
import type { Authenticate } from './auth/authenticate.ts';

/** What the routes work with. */
export type ApiContext = IntakeContext &
  QueryContext &
  LookContext & {
    readonly outbox: Outbox;
    readonly authenticate: Authenticate;
    readonly webhook: WebhookDoor;
    /** Why an approval cannot be answered there; undefined when it can. */
    readonly answerProblem: (answerTo: string) => string | undefined;
    readonly rebuild: () => Promise<RebuildReport>;
    /** Called when there is something to do at once. */
    readonly wake: (ids: readonly string[]) => Promise<void>;
    /** Called with changes that are new. */
    readonly enqueue: (ids: readonly string[]) => Promise<void>;
  };

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
