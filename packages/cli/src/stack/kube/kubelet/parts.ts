import type { Clock, Logger } from '@fairway/core';
import type { EventRecorder } from '../controllers/events.ts';
import type { Registry } from '../store/registry.ts';
import type { Pod } from '../workloads.ts';
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

/** Where one container runs. */
export type ContainerPlace = {
  readonly pod: Pod;
  readonly podIP: string;
  /** Host folders by volume name. */
  readonly volumes: ReadonlyMap<string, string>;
  /** The record was written. */
  changed(): void;
};
