import type { RetrainRequest } from '@fairway/core';
import type { OpeningRequest } from '../change.ts';
import type { ModelFile } from './model-file.ts';

/** What a retrain folder is made of. */
export type RetrainSource = {
  readonly change: string;
  readonly request: RetrainRequest;
  /** The request that opened the change, where a newer one has taken its place. */
  readonly opened?: OpeningRequest;
  readonly file: ModelFile & { readonly retrain: NonNullable<ModelFile['retrain']> };
};

/** A seed that follows from the change alone, so a training can be repeated: 0 … 2³¹ − 1. */
export const seedOf = (change: string): number => Number.parseInt(change.slice(0, 8), 16) % 2 ** 31;
