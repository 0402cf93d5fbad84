import { type Clock, FairwayError } from '@fairway/core';
import type { SasServer } from './client.ts';
import { checkId } from './identity.ts';
import { collect } from './paging.ts';
import { instant, publishSchema, type SasPublish, stateOf } from './wire.ts';

const PUBLISHES = '/modelPublish/models';

/** How long the end of a publish is waited for. */
export type PublishWait = {
  readonly everyMs: number;
  readonly atMostMs: number;
  /** One that has not moved for so long is taken for dead. */
  readonly forgottenMs: number;
};
export const PUBLISH_WAIT: PublishWait = { everyMs: 2_000, atMostMs: 30_000, forgottenMs: 3_600_000 };

export type PublishClock = Clock & { pause(ms: number): Promise<void> };

/**
 * `open` is everything that is no end. The order is not that of the names: 3.5 answers `running` first and `pending` for a
 * long time afterwards, and an `errorResponse` is there on success as well.
 */
export type PublishState = 'open' | 'completed' | 'failed';

const stateIn = ({ state }: SasPublish): PublishState => {
  const now = stateOf(state);
  return now === 'completed' || now === 'failed' ? now : 'open';
};

/**
 * Waits until every publish of the model has ended: SAS adds files to a model while it publishes it, and what is read meanwhile
 * is neither the state before nor the one after. Throws `registry.unavailable` when one does not end in time.
 */
export async function settledPublishes(
  server: SasServer,
  modelId: string,
  { everyMs, atMostMs, forgottenMs }: PublishWait,
  clock: PublishClock,
): Promise<void> {
  const until = clock.now() + atMostMs;
  const isAlive = ({ modifiedTimeStamp }: SasPublish): boolean =>
    (instant(modifiedTimeStamp) ?? clock.now()) > clock.now() - forgottenMs;
  const open = (await publishesOf(server, modelId)).filter((one) => stateIn(one) === 'open' && isAlive(one));
  for (const { id, name } of open) {
    while ((await publishState(server, id)) === 'open') {
      if (clock.now() >= until) throw stillOpen(name ?? id, atMostMs);
      await clock.pause(everyMs);
    }
  }
}

/** Now. One that is gone has not been completed. */
export async function publishState(server: SasServer, id: string): Promise<PublishState> {
  const found = await server.find(`${PUBLISHES}/${checkId('A publish', id)}`, publishSchema, `to read publish ${id}`);
  return found === undefined ? 'failed' : stateIn(found.value);
}

/** None where the client may not see them, or the release has no such list: then nothing is waited for. */
async function publishesOf(server: SasServer, modelId: string): Promise<SasPublish[]> {
  try {
    const listed = await collect(server, {
      path: PUBLISHES,
      filter: `eq(modelId,"${checkId('A model', modelId)}")`,
      item: publishSchema,
      what: `to list the publishes of model ${modelId}`,
    });
    return listed.filter((publish) => publish.modelId === modelId);
  } catch (error) {
    if (error instanceof FairwayError && [400, 403, 404].includes(Number(error.detail['status']))) return [];
    throw error;
  }
}

const stillOpen = (name: string, atMostMs: number): FairwayError =>
  new FairwayError(
    'registry.unavailable',
    `SAS is publishing the model (${name}), and has not ended within ${atMostMs / 1_000} s; its contents are read when it has.`,
  );
