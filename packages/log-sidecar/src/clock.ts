import { performance } from 'node:perf_hooks';
import { hrtime } from 'node:process';
import { systemClock } from '@fairway/core';
import type { AgentClock } from './ports.ts';

/** Monotonic milliseconds that mean the same in every thread of the process: each counts its own from its start. */
export function createClock(): AgentClock {
  const offset = Number(hrtime.bigint()) / 1e6 - performance.now();
  return { ...systemClock, monotonic: () => performance.now() + offset };
}
