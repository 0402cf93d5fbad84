import type { Baseline, ModelVersion } from '@fairway/core';

export type LoadedVersion = { readonly modelVersion: ModelVersion; readonly baseline: Baseline };

type ModelCopy = {
  readonly folder: string;
  /** Computed over the bytes of the copy. */
  readonly digest: string;
  dispose(): Promise<void>;
};

/** A model registry. */
export type ModelSource = {
  /**
   * What the registry says now, the digest computed over the bytes. Throws `model.unknown` (naming the known ones), or
   * `model.invalid` when it is no SavedModel or its signature does not fit the registered variables.
   */
  load(model: string, version: string): Promise<LoadedVersion>;
  /** A private copy of the SavedModel: nothing that is written to the registry later can slip in. */
  copy(model: string, version: string): Promise<ModelCopy>;
};

type ImageRequest = { readonly modelVersion: ModelVersion; readonly folder: string };
export type ImageBuilder = {
  /** Base plus model as one layer; answers `name@sha256:…`. The same model gives the same digest. */
  build(request: ImageRequest): Promise<string>;
};
