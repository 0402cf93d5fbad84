import { batched, type BatchOutcome, FairwayError } from '@fairway/core';
import type { CommitRequest } from '../ports.ts';
import type { Mirror } from './mirror.ts';
import { commitBytes, formatOf, MAX_COMMIT, objectId, type Person, readCommit, withSignature } from './objects.ts';
import { packFile } from './pack.ts';
import { type NewObjects, requestTree } from './request-tree.ts';
import type { Signer } from './signing.ts';
import { withSignOff } from './trailers.ts';
import type { Trees } from './trees.ts';

/** Signing starts a program for each commit; without it, what is asked of git at the same time goes in one write. */
const PARALLEL = { signed: 4, plain: 64 } as const;
/** Commits of one batch: enough to share the cost of one git, few enough to stay a few MB in memory. */
const MAX_COMMITS = 256;
const LINGER_MS = 150;
/** Commits of one batch are pushed together, and a push costs as much as 200 more branches in it: fewer and larger ones. */
const BURST_MS = 1_500;

export type CommitStyle = {
  /** Author and committer. */
  readonly person: Person;
  readonly signOff: boolean;
  readonly signer?: Signer | undefined;
};

export type CommitWriter = {
  commit(request: CommitRequest): Promise<string>;
  carries(commit: string, request: CommitRequest): Promise<boolean>;
};

/**
 * Writes commits as packs of our own making, which `git index-pack` checks and adopts: one git for a whole batch, and no
 * ref that could stay behind. Not `git fast-import`: it needs refs and cannot sign (see the ADR).
 */
export function commitWriter(mirror: Mirror, trees: Trees, { person, signOff, signer }: CommitStyle): CommitWriter {
  const draft = async (request: CommitRequest, objects: NewObjects) => {
    const { parent, date } = request;
    const message = signOff ? withSignOff(request.message, person) : request.message;
    const format = formatOf(parent);
    const root = await trees.rootOf(parent);
    if (root === undefined) throw noParent(parent);
    const tree = await requestTree(format, (id) => trees.load(id), root, request, objects);
    return { format, bytes: commitBytes({ tree, parent, person, date, message }) };
  };
  const write = async (request: CommitRequest, batch: NewObjects): Promise<BatchOutcome<string>> => {
    // Only a request that is whole adds to the batch.
    const objects: NewObjects = new Map();
    try {
      const { format, bytes: unsigned } = await draft(request, objects);
      const bytes = signer === undefined ? unsigned : withSignature(unsigned, format, await signer.sign(unsigned));
      const id = objectId(format, 'commit', bytes);
      if ((await mirror.reader.info(id)) !== undefined) return { value: id };
      for (const [each, object] of objects) if (!batch.has(each)) batch.set(each, object);
      batch.set(id, { type: 'commit', bytes });
      return { value: id };
    } catch (error) {
      return { error };
    }
  };
  const commit = batched<CommitRequest, string>(
    { max: MAX_COMMITS, lingerMs: LINGER_MS, burstMs: BURST_MS },
    async (requests) => {
      const objects: NewObjects = new Map();
      const outcomes = await inParallel(signer === undefined ? PARALLEL.plain : PARALLEL.signed, requests, (request) =>
        write(request, objects),
      );
      const format = formatOf(requests[0]?.parent ?? '');
      if (objects.size > 0) await mirror.addPack(packFile(format, [...objects.values()]));
      return outcomes;
    },
  );
  return {
    commit,
    carries: async (id, request) => {
      const found = await mirror.reader.contents(id, MAX_COMMIT);
      if (found?.type !== 'commit') return false;
      const ours = readCommit((await draft(request, new Map())).bytes);
      const { tree, parents, author, message } = readCommit(found.bytes);
      const same = tree === ours.tree && author === ours.author && message === ours.message;
      return same && parents.length === 1 && parents[0] === request.parent;
    },
  };
}

const noParent = (parent: string) =>
  new FairwayError('git.race', `Commit ${parent} is not in the Git mirror; the branch is read again.`);

async function inParallel<I, O>(width: number, items: readonly I[], work: (item: I) => Promise<O>): Promise<O[]> {
  const made: O[] = [];
  let next = 0;
  const one = async () => {
    for (let i = next++; i < items.length; i = next++) made[i] = await work(items[i] as I);
  };
  await Promise.all(Array.from({ length: width }, one));
  return made;
}
