import { type CardContent, type CardTone, hashFields, iso } from '@fairway/core';
import type { Channel, Delivery, PendingCard, Plan } from '../ports/notify.ts';
import { lacking } from '../policy/channels.ts';
import { type QuietHours, quietUntil } from './quiet-hours.ts';

export type PlanSettings = {
  readonly channels: readonly Channel[];
  readonly quiet: QuietHours | undefined;
  /** When more models than this have the same bad news in one gathering, that is one message. */
  readonly fleetModels: number;
  /** Events are gathered until none has come for so long. */
  readonly gatherMs: number;
  readonly dashboardUrl: string | undefined;
};

/** However long events keep coming, the first of them waits no longer. */
const LONGEST_GATHERING_MS = 60_000;

const NOTHING: Plan = { deliveries: [], done: [], hold: undefined };

/** Decides what each channel gets because of the cards that are due. Pure: the same cards and settings give the same deliveries. */
export function planNotifications(cards: readonly PendingCard[], settings: PlanSettings, now: number): Plan {
  if (stillGathering(cards, settings.gatherMs)) return NOTHING;
  const until = settings.quiet === undefined ? undefined : quietUntil(settings.quiet, now);
  const waits = ({ event }: PendingCard) => until !== undefined && !settings.quiet?.exempt.includes(event);
  const told = cards.filter((card) => !waits(card));
  const held = cards.filter(waits).map(({ id }) => id);
  const messages = [
    ...digested(told, settings),
    ...fleet(
      told.filter((card) => !card.held),
      settings,
    ),
  ];
  return {
    deliveries: messages.flatMap((message) => [
      ...channelsOf(message, settings.channels).map((channel) => deliveryOf(message, channel)),
      ...undeliverable(message, settings.channels),
    ]),
    done: told.map(({ id }) => id),
    hold:
      until === undefined || held.length === 0
        ? undefined
        : { ids: held, until, reason: `Quiet hours until ${iso(until)}.` },
  };
}

function stillGathering(cards: readonly PendingCard[], gatherMs: number): boolean {
  const ages = cards.filter(({ held }) => !held).map(({ ageMs }) => ageMs);
  return ages.length > 0 && Math.min(...ages) < gatherMs && Math.max(...ages) < LONGEST_GATHERING_MS;
}

type Message = Pick<PendingCard, 'id' | 'event' | 'title' | 'content' | 'to' | 'link'>;

/** Those that the policy names; all of them where it names none that is here. */
function channelsOf({ to }: Message, channels: readonly Channel[]): readonly Channel[] {
  const named = channels.filter((channel) => to?.includes(channel));
  return named.length === 0 ? channels : named;
}

/** Of a name's id, so much. */
const MOST_NAME = 60;

/** A message for a name that is no channel here is kept as given up, so that it is seen, not lost. */
function undeliverable(message: Message, channels: readonly Channel[]): Delivery[] {
  const known: ReadonlySet<string> = new Set(channels);
  const names = [...new Set(message.to)].filter((name) => !known.has(name));
  return names.map((name) => {
    const deliveryId = `${message.id}-${name.slice(0, MOST_NAME)}`;
    const { event, title, content, link } = message;
    const dead = `The policy names ${name}, ${lacking(channels)}`;
    return { deliveryId, channel: name, event, title, content: { ...content, deliveryId }, link, dead };
  });
}

/** Teams was the first channel: its delivery has the id of the event. */
function deliveryOf({ id, event, title, content, link }: Message, channel: Channel): Delivery {
  const deliveryId = channel === 'teams' ? id : `${id}-${channel}`;
  return { deliveryId, channel, event, title, content: { ...content, deliveryId }, link };
}

/** What quiet hours held back: one message for all of it. */
function digested(cards: readonly PendingCard[], { dashboardUrl }: PlanSettings): readonly Message[] {
  const held = cards.filter((card) => card.held);
  if (held.length < 2) return held;
  const title = `${held.length} messages from the quiet hours`;
  return [gathered('digest', title, 'This is what happened while nobody was to be told.', held, 'cards', dashboardUrl)];
}

const FLEET_WORDS: Readonly<Record<string, string>> = {
  alert: 'no longer perform as approved',
  warning: 'start to drift',
  'check-failed': 'cannot be checked',
};

/** Bad news of many models at once has one cause more often than many: one message for all of it. */
function fleet(cards: readonly PendingCard[], { fleetModels, dashboardUrl }: PlanSettings): readonly Message[] {
  const messages: Message[] = [];
  const single = new Set(cards);
  for (const [event, words] of Object.entries(FLEET_WORDS)) {
    const same = cards.filter((card) => card.event === event);
    const models = new Set(same.map(({ model }) => model)).size;
    if (models <= fleetModels) continue;
    for (const card of same) single.delete(card);
    const text = 'They were found in the same round: look for one cause, such as a data source that they share.';
    messages.push(gathered(`fleet-${event}`, `${models} models ${words}`, text, same, '', dashboardUrl));
  }
  return [...messages, ...single];
}

/** More than this is no message but a list, and the dashboard has that. */
const MOST_FACTS = 25;

function factsOf(cards: readonly PendingCard[]): CardContent['facts'] {
  const facts = cards.map(({ model, title }) => ({ title: model, value: withoutModel(title, model) }));
  if (facts.length <= MOST_FACTS) return facts;
  const rest = facts.length - MOST_FACTS;
  return [...facts.slice(0, MOST_FACTS), { title: '…', value: `${rest} more on the dashboard` }];
}

/** The model stands beside it already. */
const withoutModel = (title: string, model: string): string =>
  title.startsWith(`${model} `) ? title.slice(model.length + 1) : title;

const WORST: readonly CardTone[] = ['attention', 'warning', 'accent', 'good', 'default'];

function gathered(
  event: string,
  title: string,
  text: string,
  cards: readonly PendingCard[],
  page: string,
  dashboardUrl: string | undefined,
): Message {
  const id = `${event}-${hashFields(cards.map((card) => card.id).toSorted()).slice(0, 20)}`;
  const link = dashboardUrl === undefined ? undefined : `${dashboardUrl.replace(/\/$/, '')}/${page}`;
  const content: CardContent = {
    event,
    title,
    text,
    facts: factsOf(cards),
    links: link === undefined ? [] : [{ title: 'Open the dashboard', url: link }],
    deliveryId: id,
    tone: WORST.find((tone) => cards.some((card) => card.content.tone === tone)) ?? 'default',
  };
  return { id, event, title, content, to: undefined, link };
}
