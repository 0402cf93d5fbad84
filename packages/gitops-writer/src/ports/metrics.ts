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
