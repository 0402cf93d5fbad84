import { type Clock, FairwayError } from '@fairway/core';
import { z } from 'zod';
import type { MergeAnswer } from '../../ports.ts';
import { parsed, saying } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';

/**
 * The merge queue of a branch. Only GraphQL knows it: the REST merge is refused with 405 where a queue is required, and
 * a pull request in REST does not say that it waits in one.
 */
export type MergeQueue = {
  /** Place of a pull request from 1; undefined when it does not wait, or nothing is known of a queue. */
  position(number: number): Promise<number | undefined>;
  /** Puts it into the queue while its head is `headSha`. */
  enter(number: number, headSha: string): Promise<MergeAnswer>;
};

type QueueAccess = {
  readonly call: ForgeClient;
  readonly graphql: string;
  /** owner/name */
  readonly repository: string;
  /** Branch that it is the queue of. */
  readonly base: string;
  readonly clock: Clock;
};

/**
 * One list of the whole queue answers for every pull request: asking for each would use up the hourly quota of GraphQL,
 * which the entering needs. A branch without a queue is believed to have none for longer.
 */
const LIST_AGAIN_MS = 30_000;
const LOOK_AGAIN_MS = 600_000;

const LIST = `query ($owner: String!, $name: String!, $base: String!) {
  repository(owner: $owner, name: $name) {
    mergeQueue(branch: $base) { entries(first: 100) { nodes { position pullRequest { number } } } }
  }
}`;
const PLACE = `query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) { id headRefOid mergeQueueEntry { position } }
  }
}`;
const ENTER = `mutation ($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $head }) { mergeQueueEntry { position } }
}`;

const entrySchema = z.object({ position: z.int() }).nullish();
const answerSchema = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })).optional(),
});
const placeSchema = z.object({
  repository: z.object({
    pullRequest: z.object({ id: z.string(), headRefOid: z.string(), mergeQueueEntry: entrySchema }),
  }),
});
const listSchema = z.object({
  repository: z.object({
    mergeQueue: z.object({
      entries: z.object({
        nodes: z.array(z.object({ position: z.int(), pullRequest: z.object({ number: z.int() }).nullish() })),
      }),
    }),
  }),
});

type Listed = { readonly at: number; readonly places: Promise<ReadonlyMap<number, number> | undefined> };

export function mergeQueue({ call, graphql, repository, base, clock }: QueueAccess): MergeQueue {
  const [owner = '', name = ''] = repository.split('/');
  let listed: Listed | undefined;
  let hasQueue = true;

  const list = async (): Promise<ReadonlyMap<number, number> | undefined> => {
    const { data } = await ask(call, graphql, LIST, { owner, name, base }, 'read');
    const nodes = listSchema.safeParse(data).data?.repository.mergeQueue.entries.nodes;
    // An Enterprise Server too old to know queues says that as an error.
    hasQueue = nodes !== undefined;
    return nodes && new Map(nodes.map(({ position, pullRequest }) => [pullRequest?.number ?? 0, position]));
  };
  const place = async (number: number) => {
    const { data } = await ask(call, graphql, PLACE, { owner, name, number }, 'read');
    return placeSchema.safeParse(data).data?.repository.pullRequest;
  };
  return {
    position: async (number) => {
      const old = listed === undefined || clock.now() - listed.at >= (hasQueue ? LIST_AGAIN_MS : LOOK_AGAIN_MS);
      if (listed === undefined || old) listed = { at: clock.now(), places: list() };
      return (await listed.places)?.get(number);
    },
    enter: async (number, headSha) => {
      listed = undefined;
      const found = await place(number);
      if (found === undefined) return blocked(number, 'its branch wants a merge queue that GraphQL does not show');
      if (found.mergeQueueEntry) return queued(number, found.mergeQueueEntry.position);
      if (found.headRefOid !== headSha) return moved(number, 'its head is another one');
      const { errors } = await ask(call, graphql, ENTER, { id: found.id, head: headSha }, 'write');
      if (errors !== undefined) return refusal(number, errors);
      return queued(number, (await place(number))?.mergeQueueEntry?.position);
    },
  };
}

async function ask(
  call: ForgeClient,
  graphql: string,
  query: string,
  variables: object,
  kind: 'read' | 'write',
): Promise<{ data: unknown; errors: string | undefined }> {
  const answer = await call('POST', graphql, { body: { query, variables }, kind });
  const { data, errors = [] } = parsed(answerSchema, 'a question about the merge queue', answer);
  if (errors.some(({ type }) => type === 'RATE_LIMITED')) {
    throw new FairwayError('forge.unavailable', `GitHub takes no more GraphQL calls for now: ${saying(errors)}.`);
  }
  return { data, errors: errors.length === 0 ? undefined : saying(errors) };
}

function refusal(number: number, words: string): MergeAnswer {
  if (/head/i.test(words) && /match|modified|changed|expected/i.test(words)) return moved(number, words);
  return /already/i.test(words) ? queued(number, undefined) : blocked(number, words);
}

const moved = (number: number, words: string): MergeAnswer => ({
  kind: 'moved',
  reason: `GitHub does not put pull request #${number} into the merge queue: ${words}`,
});
const blocked = (number: number, words: string): MergeAnswer => ({
  kind: 'blocked',
  reason: `GitHub does not put pull request #${number} into the merge queue: ${words}`,
});
const queued = (number: number, position: number | undefined): MergeAnswer => ({
  kind: 'queued',
  reason: queueReason(number, position),
});

export const queueReason = (number: number, position: number | undefined): string =>
  `Pull request #${number} waits in the merge queue${position === undefined ? '' : ` (position ${position})`}.`;
