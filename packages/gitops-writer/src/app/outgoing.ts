import { END_PHASES, hashFields, urlOrigin } from '@fairway/core';
import type { Notice, StoredChange } from '../change.ts';
import type { Answer, Outgoing, PeopleChannel, Tell } from '../ports.ts';
import { registryName } from './champions-decision.ts';
import { supersededNotice } from './notices.ts';

/** Which channels there are. */
export type Channels = {
  readonly teams: boolean;
  readonly webhook?: boolean;
  /** The monitor tells people; only where neither of the others does, so that nobody is told twice. */
  readonly monitor?: boolean;
  /** The kind of answers that tells a workflow which gave this `answerTo`; undefined: nobody can be told. */
  readonly answerVia: (answerTo: string | undefined) => string | undefined;
};

/** Cards for people, and the answer to the workflow when its change has ended. Pure: the same change is told in the same words. */
export const telling =
  ({ answerVia, ...people }: Channels): Tell =>
  (stored, notice) => {
    const said = notice ?? ownNotice(stored);
    // Same change and event = same delivery: however often a step runs, each channel has one card.
    const cards = said === undefined ? [] : cardsOf(people, stored.change.model, [stored.change.id], said);
    return [...cards, ...answerOf(stored, answerVia)];
  };

/** A card about something of a model that no change stands for; the same model and `key` are the same card. */
export const announcing =
  (people: People) =>
  (model: string, key: readonly string[], notice: Notice): readonly Outgoing[] =>
    cardsOf(people, model, [model, ...key], notice);

/** For an end that no step has a notice for: whoever approved it should not wait for it. */
function ownNotice(stored: StoredChange): Notice | undefined {
  const { kind, phase } = stored.change;
  return kind === 'deploy' && phase === 'superseded' && !wasLive(stored) ? supersededNotice(stored) : undefined;
}

type People = Pick<Channels, 'teams' | 'webhook' | 'monitor'>;

/**
 * Teams was the first channel: its deliveries have ids without its name. The monitor's have the same ones: a card that Teams
 * was given before is not told again.
 */
function cardsOf(
  { teams, webhook = false, monitor = false }: People,
  model: string,
  key: readonly string[],
  notice: Notice,
): Outgoing[] {
  const id = `d-${hashFields([...key, notice.event]).slice(0, 20)}`;
  return [
    ...(teams ? [cardOf('teams', id, notice)] : []),
    ...(webhook ? [cardOf('webhook', `${id}-webhook`, notice)] : []),
    ...(monitor && !teams && !webhook ? [announcementOf(id, model, notice)] : []),
  ];
}

function cardOf(channel: PeopleChannel, deliveryId: string, notice: Notice): Outgoing {
  const { event, title } = notice;
  return { channel, deliveryId, event, title, content: { ...notice, deliveryId } };
}

function announcementOf(deliveryId: string, model: string, notice: Notice): Outgoing {
  const { event, title } = notice;
  return { channel: 'monitor', deliveryId, event, title, content: { model, content: { ...notice, deliveryId } } };
}

/**
 * That a live version has made room for a newer one is no news to the workflow: it was told `live`, and the newer approval
 * gets its own answer. That it was taken back is.
 */
function answerOf(stored: StoredChange, answerVia: Channels['answerVia']): Outgoing[] {
  const { change, evidence } = stored;
  if (evidence.kind !== 'deploy' || !isOutcome(change.phase)) return [];
  if (change.phase === 'superseded' && wasLive(stored)) return [];
  const { answerTo: to } = evidence.approval;
  const via = answerVia(to);
  if (via === undefined) return [];
  const answer = outcomeOf(stored, evidence.approval.eventId, change.phase);
  const told = to !== undefined && via === 'http' ? urlOrigin(to) : registryName(via);
  const title = `${told} is told: ${change.model} ${change.version} in ${change.environment} is ${change.phase}`;
  const content = { via, answer, ...(to === undefined ? {} : { to }) };
  return [{ channel: 'answer', deliveryId: answer.idempotencyKey, event: change.phase, title, content }];
}

function outcomeOf({ change, facts }: StoredChange, eventId: string, outcome: Answer['outcome']): Answer {
  const { id, model, version, environment, reason, pullRequest, history, updatedAt } = change;
  const mergeCommit = facts.mergeCommit ?? pullRequest?.mergeCommit;
  return {
    idempotencyKey: `a-${hashFields([id, outcome]).slice(0, 20)}`,
    eventId,
    changeId: id,
    model,
    version,
    environment,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(pullRequest === undefined ? {} : { pullRequest: pullRequest.url }),
    ...(mergeCommit === undefined ? {} : { mergeCommit }),
    at: history.at(-1)?.at ?? updatedAt,
  };
}

const isOutcome = (phase: string): phase is Answer['outcome'] => END_PHASES.some((end) => end === phase);

const wasLive = ({ change }: StoredChange): boolean => change.history.some(({ phase }) => phase === 'live');
