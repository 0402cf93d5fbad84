import { FairwayError } from '@fairway/core';
import { parsePolicy, type Policy } from '@fairway/monitor';
import { readGiven } from './given-files.ts';

/** A policy of any model from a file that a person named. Throws, with the file's name, what is wrong with it. */
export function readPolicy(file: string): Policy {
  const text = readGiven(file);
  try {
    return parsePolicy(text, undefined);
  } catch (error) {
    if (!(error instanceof FairwayError)) throw error;
    throw new FairwayError(error.code, `${file}: ${error.message}`);
  }
}
