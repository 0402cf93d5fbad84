import type { Phase } from '@fairway/core';

export type Metrics = {
  stepRan(step: string, status: string, seconds: number): void;
  phaseEntered(kind: string, phase: Phase): void;
  notified(channel: string, result: string): void;
};
