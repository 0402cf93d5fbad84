import { expect, test } from 'vitest';
import type { PendingCard } from '../ports/notify.ts';
import { type PlanSettings, planNotifications } from './plan-notifications.ts';

const NIGHT = Date.parse('2026-01-10T23:00:00Z');
const NOON = Date.parse('2026-01-10T12:00:00Z');
const settings: PlanSettings = {
  channels: ['teams', 'mail'],
  quiet: { from: 22 * 60, to: 7 * 60, zone: 'UTC', exempt: ['alert'] },
  fleetModels: 3,
  gatherMs: 2_000,
  dashboardUrl: 'http://dash/',
};
const card = (n: number, event = 'alert', extra: Partial<PendingCard> = {}): PendingCard => ({
  id: `card-${n}`,
  event,
  title: `model-${n} ${event}`,
  model: `model-${n}`,
  content: {
    event,
    title: `model-${n} ${event}`,
    text: 't',
    facts: [],
    links: [],
    deliveryId: `card-${n}`,
    tone: event === 'alert' ? 'attention' : 'good',
  },
  to: undefined,
  link: undefined,
  ageMs: 5_000,
  held: false,
  ...extra,
});
const many = (n: number, event?: string, extra?: Partial<PendingCard>) =>
  Array.from({ length: n }, (_, i) => card(i, event, extra));
const shown = (cards: readonly PendingCard[], now = NOON, with_: Partial<PlanSettings> = {}) => {
  const plan = planNotifications(cards, { ...settings, ...with_ }, now);
  return { ...plan, deliveries: plan.deliveries.map(({ deliveryId, channel }) => `${channel} ${deliveryId}`) };
};

test('an event is one delivery for each channel, each with its own id on the message', () => {
  const plan = planNotifications([card(1)], settings, NOON);
  expect(plan.deliveries.map(({ channel, content }) => [channel, content.deliveryId])).toEqual([
    ['teams', 'card-1'],
    ['mail', 'card-1-mail'],
  ]);
  expect(plan.done).toEqual(['card-1']);
});

test('a name that is no channel is kept as given up, beside what the others are sent, or all are where it stands alone', () => {
  const of = (to: readonly string[]) => planNotifications([card(1, 'alert', { to })], settings, NOON).deliveries;
  const shownOf = (to: readonly string[]) => of(to).map(({ channel, dead }) => [channel, dead === undefined]);
  expect(shownOf(['mail', 'mial', 'mial'])).toEqual([
    ['mail', true],
    ['mial', false],
  ]);
  expect(shownOf(['mial'])).toEqual([
    ['teams', true],
    ['mail', true],
    ['mial', false],
  ]);
  const kept = of(['mial']).at(-1);
  expect(kept).toMatchObject({ deliveryId: 'card-1-mial', content: { deliveryId: 'card-1-mial' }, event: 'alert' });
  expect(kept?.dead).toBe(
    'The policy names mial, which is no channel of this monitor: it has teams and mail. Check the spelling, or configure the channel.',
  );
  expect(of(['x'.repeat(1000)]).at(-1)?.deliveryId).toHaveLength(67);
});

test('a policy may name channels', () => {
  expect(shown([card(1, 'alert', { to: ['mail'] })]).deliveries).toEqual(['mail card-1-mail']);
});

test('events are gathered until none has come for a while, but not for ever', () => {
  const nothing = { deliveries: [], done: [], hold: undefined };
  expect(shown([card(1), card(2, 'alert', { ageMs: 100 })])).toEqual(nothing);
  expect(shown([card(1, 'alert', { ageMs: 60_000 }), card(2, 'alert', { ageMs: 100 })]).done).toHaveLength(2);
  expect(shown([])).toEqual(nothing);
});

test('the same bad news of more models than the setting is one message; other events stay single', () => {
  expect(shown(many(3)).deliveries).toHaveLength(6);
  const plan = planNotifications([...many(4), card(9, 'recovered')], settings, NOON);
  const [fleet, , single] = plan.deliveries;
  expect(plan.deliveries).toHaveLength(4);
  expect(fleet).toMatchObject({
    event: 'fleet-alert',
    title: '4 models no longer perform as approved',
    link: 'http://dash/',
  });
  expect(fleet?.content.facts).toEqual(many(4).map(({ model }) => ({ title: model, value: 'alert' })));
  expect(single?.deliveryId).toBe('card-9');
  expect(plan.done).toHaveLength(5);
  // Ten windows of one model are not a fleet.
  expect(shown(many(10).map((one) => ({ ...one, model: 'same' }))).deliveries).toHaveLength(20);
});

test('what is gathered stays a message: the rest is counted', () => {
  const [fleet] = planNotifications(many(400), settings, NOON).deliveries;
  expect(fleet?.content.facts).toHaveLength(26);
  expect(fleet?.content.facts.at(-1)).toEqual({ title: '…', value: '375 more on the dashboard' });
});

test('the same events in another order have the same id', () => {
  expect(shown(many(6).toReversed()).deliveries).toEqual(shown(many(6)).deliveries);
});

test('quiet hours hold what is not exempt until they end', () => {
  const plan = shown([card(1), card(2, 'recovered')], NIGHT);
  expect(plan.deliveries).toEqual(['teams card-1', 'mail card-1-mail']);
  expect(plan.hold).toEqual({
    ids: ['card-2'],
    until: Date.parse('2026-01-11T07:00:00Z'),
    reason: 'Quiet hours until 2026-01-11T07:00:00.000Z.',
  });
  expect(plan.done).toEqual(['card-1']);
});

test('what was held is one digest afterwards, told apart from what is new', () => {
  const held = many(8, 'recovered', { held: true });
  const plan = planNotifications([...held, card(9, 'recovered')], settings, NOON);
  expect(plan.deliveries.map(({ event }) => event)).toEqual(['digest', 'digest', 'recovered', 'recovered']);
  expect(plan.deliveries[0]?.title).toBe('8 messages from the quiet hours');
  expect(plan.deliveries[0]?.content.facts).toHaveLength(8);
  expect(plan.done).toHaveLength(9);
  expect(shown([card(1, 'recovered', { held: true })]).deliveries).toEqual(['teams card-1', 'mail card-1-mail']);
});

test('still held when they come back into quiet hours', () => {
  expect(shown([card(1, 'recovered', { held: true })], NIGHT).hold?.ids).toEqual(['card-1']);
});
