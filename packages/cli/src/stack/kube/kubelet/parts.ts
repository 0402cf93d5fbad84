import type { Clock, Logger } from '@fairway/core';
import type { EventRecorder } from '../controllers/events.ts';
import type { Registry } from '../store/registry.ts';
import type { BaseEnv, Programs } from './command.ts';
import type { ImageStore } from './images.ts';
import type { ProcessTable } from './processes.ts';

/** What the kubelet works with. */
export type KubeletParts = {
  readonly registry: Registry;
  readonly record: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly images: ImageStore;
  readonly processes: ProcessTable;
  readonly programs: Programs;
  readonly baseEnv: BaseEnv;
  readonly dataDir: string;
};
