import { sha256 } from '@fairway/core';

/**
 * What a deployment's evidence says about its golden cases: their hash, if there are any. The same bytes of a model may be
 * approved again with better cases, and each approval keeps its own.
 */
export const goldenEvidence = (golden: string | undefined): { readonly golden?: string } =>
  golden === undefined ? {} : { golden: sha256(golden) };
