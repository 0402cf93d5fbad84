import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '@fairway/core';
import { rolledOutDeployment, syncedApplication } from '../../integration/writer/cluster.ts';
import { registerVersion } from '../../integration/writer/model.ts';
import { people } from '../../integration/writer/ways.ts';
import { type Answer, MODEL, type World } from '../../integration/writer/world.ts';
import { type Origin, originOf } from './origin.ts';

const PATIENCE_MS = 120_000;
const AGAIN_MS = 50;

/** Waits until `look` answers something; what it waits for is told when nothing comes of it. */
export async function eventually<T>(look: () => Promise<T | undefined>, what: () => string): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`for ${PATIENCE_MS / 1000} s in vain: ${what()}`);
    await sleep(AGAIN_MS);
  }
}

export type Team = ReturnType<typeof teamOf>;

/**
 * Who lives with a writer that dies: workflows and a monitor that ask again until they have an answer, people who merge and close on
 * the forge, and Argo CD, which applies what the default branch says.
 */
export function teamOf(world: World) {
  const origin: Origin = originOf(world);
  const { edit } = people(world);
  /** Asked again until there is an answer, and a second time although there was one: whoever asks may have missed it. */
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const once = () =>
      eventually(
        async () => {
          const answer = await world.api(method, path, body).catch(() => undefined);
          return answer === undefined || answer.status >= 500 ? undefined : answer;
        },
        () => `${method} ${path}`,
      );
    const first = await once();
    return method === 'GET' ? first : once();
  };
  const request = async (path: string, body: object): Promise<Change> => {
    const { status, body: answer } = await ask('POST', path, body);
    if (status >= 300) throw new Error(`POST ${path} is refused with ${status}: ${answer.detail}`);
    return answer.change;
  };
  const until = async (id: string, wanted: (change: Change) => boolean): Promise<Change> => {
    let seen: Change | undefined;
    return eventually(
      async () => {
        seen = (await ask('GET', `/v1/changes/${id}`)).body.change;
        return wanted(seen) ? seen : undefined;
      },
      () => `change ${id} stays like this: ${JSON.stringify(seen)}`,
    );
  };
  const ended = (id: string, phase: Change['phase']) => until(id, (change) => change.phase === phase);
  /** Open on the forge, and the writer has nothing more to do for it than wait. */
  const proposed = (id: string) =>
    until(id, ({ phase, reason }) => phase === 'proposed' && reason?.includes('waits for its merge') === true);
  /** Merged; by this person as soon as it is proposed, if nobody else does it. */
  const merged = async (id: string): Promise<Change> => {
    const isPast = ({ phase }: Change) => !['requested', 'validated', 'built', 'proposed'].includes(phase);
    return eventually(
      async () => {
        const { change } = (await ask('GET', `/v1/changes/${id}`)).body;
        if (isPast(change)) return change;
        const number = change.pullRequest?.number;
        if (number !== undefined) await world.onForge('POST', `/pulls/${number}/merge`, { Do: 'merge' });
        return undefined;
      },
      () => `change ${id} is not merged`,
    );
  };
  /** The change as soon as the writer, which merges it by itself, has seen it merged. */
  const mergedByItself = (id: string) => until(id, ({ pullRequest }) => pullRequest?.mergeCommit !== undefined);
  /** Argo CD and Kubernetes do what the default branch says of an environment. */
  const sync = async (environment: string): Promise<void> => {
    const text = (await origin.read(`models/${MODEL}/environments/${environment}/version.yaml`)) ?? '';
    const field = (name: string) => new RegExp(`^${name}: "?([^"\n]+)"?$`, 'm').exec(text)?.[1] ?? '';
    world.cluster.rollOut(MODEL, environment, field('change'), field('version'), await origin.head());
  };
  const live = async (id: string): Promise<Change> => {
    const { environment } = await merged(id);
    await sync(environment);
    return ended(id, 'live');
  };
  const approve = async (version: string, environment: string, event: string): Promise<Change> => {
    const actor = 'alice@example.com';
    return request('/v1/approvals', { eventId: event, model: MODEL, version, environment, actor });
  };
  /** A change that nobody has asked for. */
  const appears = (wanted: (change: Change) => boolean): Promise<Change> =>
    eventually(
      async () => (await ask('GET', '/v1/changes')).body.changes.find(wanted),
      () => 'no change that fits',
    );
  /** The writer says on the forge what the newest evidence says, and waits again. */
  const titled = (number: number | undefined, title: string): Promise<true> =>
    eventually(
      async () => ((await world.onForge('GET', `/pulls/${number}`)).body.title === title ? true : undefined),
      () => `pull request #${number} is not called ${title}`,
    );
  return {
    world,
    origin,
    edit,
    appears,
    titled,
    ask,
    request,
    until,
    ended,
    proposed,
    merged,
    mergedByItself,
    sync,
    live,
    approve,
    register: (version: string) => registerVersion(world.registry, MODEL, version, Number(version)),
    deployed: async (version: string, environment: string, event: string) =>
      live((await approve(version, environment, event)).id),
    /** The rollout of what the default branch says passes its deadline. */
    breaks: async (environment: string, change: string): Promise<void> => {
      const name = `${MODEL}-${environment}`;
      const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' };
      const status = { conditions: [late], availableReplicas: 0 };
      world.cluster.deployment(name, MODEL, rolledOutDeployment(MODEL, change, status));
      world.cluster.application(name, syncedApplication(name, await origin.head()));
    },
  };
}
