import type { Phase } from '@fairway/core';

export type Metrics = {
  stepRan(step: string, status: string, seconds: number): void;
  phaseEntered(kind: string, phase: Phase): void;
  notified(channel: string, result: string): void;
};

export type IntakeMetrics = {
  /** A look at a model's champion. */
  championLooked(registry: string, result: string): void;
};

/** What waits in the store, and for how long, in seconds. */
export type OperatingFigures = {
  /** Changes that have not ended, by kind and phase; `ageS`: of the one that is longest in that phase. */
  readonly open: ReadonlyArray<{
    readonly kind: string;
    readonly phase: string;
    readonly changes: number;
    readonly ageS: number;
  }>;
  /** `dead`: deliveries given up in the last 24 hours; `oldestS`: age of the oldest that is not sent yet, 0: none. */
  readonly outbox: ReadonlyArray<{ readonly channel: string; readonly dead: number; readonly oldestS: number }>;
};
