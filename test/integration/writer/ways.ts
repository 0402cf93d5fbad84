import type { Change } from '@fairway/core';
import { expect } from 'vitest';
import { rolledOutDeployment, syncedApplication } from './cluster.ts';
import { registerVersion } from './model.ts';
import { approve, MODEL, type World } from './world.ts';

export const folderOf = (environment: string) => `models/${MODEL}/environments/${environment}`;
export const QUARANTINE = `models/${MODEL}/quarantine.yaml`;
export const proposed = ({ phase }: Change) => phase === 'proposed';

/** What people do: register, approve, merge, edit on the default branch; and what the cluster makes of it. */
export function people(world: World) {
  let clones = 0;
  const people = {
    register: (version: string) => registerVersion(world.registry, MODEL, version, Number(version)),
    merge: ({ pullRequest }: Change) => world.onForge('POST', `/pulls/${pullRequest?.number}/merge`, { Do: 'merge' }),
    /**
     * The change as soon as it is merged; where a person has to do that, it is done, as often as the forge refuses it: the
     * branch may be in conflict with the main one until the writer has drawn it anew.
     */
    merged: async (id: string) => {
      const change = await world.until(id, ({ phase }) => !['requested', 'validated', 'built'].includes(phase));
      const isMerged = async () => change.phase !== 'proposed' || (await people.merge(change)).status === 200;
      const isPast = async () => (await world.api('GET', `/v1/changes/${id}`)).body.change.phase !== 'proposed';
      await expect.poll(async () => (await isMerged()) || isPast(), { timeout: 60_000 }).toBe(true);
      return world.until(id, ({ phase }) => phase !== 'proposed');
    },
    approved: async (version: string, environment: string, event = `${version} for ${environment}`) =>
      (await approve(world, version, environment, event)).body.change.id,
    /** Brings a version to live; `stamp` is that of the Deployment, the change's own unless it restores another. */
    live: async (id: string, stamp = id) => {
      const { environment, version, pullRequest } = await people.merged(id);
      world.cluster.rollOut(MODEL, environment, stamp, version, pullRequest?.mergeCommit ?? '');
      return world.until(id, ({ phase }) => phase === 'live');
    },
    deployed: async (version: string, environment: string, event?: string) =>
      people.live(await people.approved(version, environment, event)),
    /** Lets the rollout of a merged change pass its deadline. */
    broken: async (id: string, { stamp = id, revision = '' } = {}) => {
      const { environment, pullRequest } = await people.merged(id);
      const name = `${MODEL}-${environment}`;
      const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' };
      world.cluster.deployment(
        name,
        MODEL,
        rolledOutDeployment(MODEL, stamp, { conditions: [late], availableReplicas: 0 }),
      );
      world.cluster.application(name, syncedApplication(name, pullRequest?.mergeCommit ?? revision));
      return world.until(id, ({ phase }) => phase === 'failed');
    },
    changes: async (query: string) => (await world.api('GET', `/v1/changes?${query}`)).body.changes,
    rollback: (fields: object = {}) =>
      world.api('POST', '/v1/changes', {
        kind: 'rollback',
        model: MODEL,
        environment: 'prod',
        dedupeKey: 'asked',
        actor: 'bob@example.com',
        reason: 'Scores are off',
        ...fields,
      }),
    clone: () => world.clone(`clone-${(clones += 1)}`),
    /** Edits a file on the default branch by a commit of its own; `undefined` deletes it. */
    edit: async (path: string, edit: (text: string) => string) => {
      const folder = await people.clone();
      const before = await world.git.run(folder, ['show', `HEAD:${path}`]);
      await world.git.commit(folder, path, edit(before.code === 0 ? `${before.out}\n` : ''));
      await world.git.ok(folder, ['push', '--quiet', 'origin', 'main'], world.forge.owner);
    },
    pull: async ({ pullRequest }: Change) => (await world.onForge('GET', `/pulls/${pullRequest?.number}`)).body,
    comments: async ({ pullRequest }: Change) =>
      (await world.onForge('GET', `/issues/${pullRequest?.number}/comments`)).body.map(({ body }) => body),
  };
  return people;
}

/** Adds an environment to a model.yaml, before prod. */
export const withStaging = (text: string): string =>
  text.replace(
    '  - { name: prod',
    `  - { name: staging, namespace: ${MODEL}-staging, merge: review }\n  - { name: prod`,
  );
