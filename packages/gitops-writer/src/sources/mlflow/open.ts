import type { Clock } from '@fairway/core';
import type { ModelSource } from '../../ports.ts';
import { gcsTokens } from './artifacts/gcs-token.ts';
import { mlflowClient } from './client.ts';
import { type MlflowRegistry, mlflowRegistry } from './registry.ts';
import type { MlflowSettings } from './settings.ts';
import { mlflowSource } from './source.ts';

export type Mlflow = {
  readonly source: ModelSource;
  /** For answers by tags. */
  readonly setTag: MlflowRegistry['setTag'];
  /** Closes the connections that are kept. */
  readonly close: () => void;
};

/** The MLflow server of the settings. Private copies of models go below `scratch`. */
export function openMlflow(settings: MlflowSettings, scratch: string, clock: Clock): Mlflow {
  const client = mlflowClient(settings);
  const registry = mlflowRegistry(client);
  const gcsToken = settings.gcs === undefined ? undefined : gcsTokens(settings.gcs, clock);
  return {
    source: mlflowSource({ settings, client, registry, gcsToken, clock, scratch }),
    setTag: registry.setTag,
    close: client.remote.close,
  };
}
