import type { Approval } from '@fairway/core';
import { parse } from 'yaml';
import { z } from 'zod';
import { type HashedFile, intentHash } from './intent.ts';
import { toYaml } from './yaml.ts';

/** What a `version.yaml` tells, whole: what was approved, by which event, and the hash that binds it to the other files. */
export type WholeChain = {
  readonly change: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly image: string;
  readonly environment: string;
  readonly approval: Approval;
  readonly intent: string;
};

const APPROVAL = {
  eventId: z.string(),
  model: z.string(),
  version: z.string(),
  environment: z.string(),
  actor: z.string(),
  time: z.string(),
  evidence: z.string().optional(),
  answerTo: z.string().optional(),
};

const schema = z.strictObject({
  apiVersion: z.literal('fairway.dev/v1'),
  kind: z.literal('Version'),
  change: z.string(),
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  image: z.string(),
  environment: z.string(),
  approval: z.strictObject(APPROVAL),
  intent: z.string(),
});

/** `version.yaml`: the same chain always gives the same bytes. */
export const chainText = (chain: WholeChain): string =>
  toYaml({ apiVersion: 'fairway.dev/v1', kind: 'Version', ...chain });

/** The intent of an environment folder: of the chain and of every file beside its own. */
export const chainIntent = (chain: Omit<WholeChain, 'intent'>, files: readonly HashedFile[]): string =>
  intentHash({ ...chain, intent: undefined }, files);

/**
 * The chain of a `version.yaml`, only if the text is byte for byte what Fairway writes for it: the hash does not cover
 * this file, so that nothing in it may be said in another way.
 */
export function readWholeChain(text: string): WholeChain | undefined {
  try {
    const parsed = schema.safeParse(parse(text));
    if (!parsed.success) return undefined;
    const { apiVersion: _, kind: __, ...chain } = parsed.data;
    return chainText(chain as WholeChain) === text ? (chain as WholeChain) : undefined;
  } catch {
    return undefined;
  }
}

const outline = z.object({
  change: z.string(),
  version: z.string(),
  digest: z.string(),
  image: z.string(),
  approval: z.object(APPROVAL),
});

/** What a `version.yaml` says: the change that put the folder there, and what it was approved for. */
export type Chain = {
  readonly change: string;
  readonly version: string;
  readonly digest: string;
  readonly image: string;
  readonly approval: Approval;
};

/** The chain that a `version.yaml` tells; undefined when it is not one that Fairway wrote. */
export function readChain(text: string): Chain | undefined {
  try {
    const parsed = outline.safeParse(parse(text));
    return parsed.success ? (parsed.data as Chain) : undefined;
  } catch {
    return undefined;
  }
}
