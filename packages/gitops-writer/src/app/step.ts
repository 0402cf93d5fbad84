import type { Clock, Gate, Logger, StepResult } from '@fairway/core';
import type { StoredChange, Transition } from '../change.ts';
import type { ChangeReader, Cluster, Forge, History, ImageBuilder, ModelSource, Repository } from '../ports.ts';
import type { LiveSettings } from './live/settings.ts';

/** What steps work with. */
export type StepContext = {
  readonly changes: ChangeReader;
  readonly repository: Repository;
  readonly history: History;
  readonly forge: Forge;
  readonly source: ModelSource;
  readonly images: ImageBuilder;
  /** Copies of models may be gigabytes: so many at a time. */
  readonly builds: Gate;
  readonly cluster: Cluster;
  readonly live: LiveSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** The agent's image, `name@sha256:…`. */
  readonly agentImage: string;
  /** Origin of the dashboard, for links. */
  readonly dashboardUrl: string | undefined;
  /** Most characters of a pull request's body on this forge. */
  readonly bodyLimit: number;
};

/** One thing to do for a change in one phase. It reads the world first and may run twice or die half-way. */
export type Step = {
  readonly name: string;
  /** Others go first: what everybody waits for (a branch) comes before what is slow and rationed (the forge's API). */
  readonly yields?: (stored: StoredChange) => boolean;
  run(stored: StoredChange, context: StepContext): Promise<StepResult<Transition>>;
};

/** Since when a change is in its phase, in ms before now. */
export function phaseAge({ change }: StoredChange, clock: Clock): number {
  const since = change.history.at(-1)?.at ?? change.createdAt;
  return Math.max(0, clock.now() - Date.parse(since));
}
