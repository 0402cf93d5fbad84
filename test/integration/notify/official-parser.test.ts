import { createRequire } from 'node:module';
import { buildCard, type CardContent, type TeamsMessage } from '@fairway/core';
import { expect, it } from 'vitest';
import { CARDS } from './sample-cards.ts';

/** What we use of Microsoft's own reader of Adaptive Cards (npm `adaptivecards`), whose types want a browser. */
type Official = {
  readonly AdaptiveCard: new () => { parse(json: unknown, context: Context): void; toJSON(context: Context): unknown };
  readonly SerializationContext: new (version: unknown) => Context;
  readonly Versions: { readonly v1_4: unknown };
};
type Context = { readonly eventCount: number; getEventAt(index: number): { readonly message: string } };

const require = createRequire(import.meta.url);
const official = require('adaptivecards/dist/adaptivecards.js') as Official;
type Card = TeamsMessage['attachments'][0]['content'];

/** What the official schema of version 1.4 finds wrong, and what it keeps of the card. */
function read(card: unknown): { readonly problems: string[]; readonly kept: Partial<Card> } {
  const [parsed, context] = [new official.AdaptiveCard(), new official.SerializationContext(official.Versions.v1_4)];
  parsed.parse(card, context);
  const problems = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  return { problems, kept: parsed.toJSON(context) as Partial<Card> };
}

it.each(Object.keys(CARDS))('the official schema knows every element, field and word of a card: %s', (name) => {
  const { content } = buildCard(CARDS[name] as CardContent).attachments[0];
  const { problems, kept } = read(JSON.parse(JSON.stringify(content)));
  expect(problems).toEqual([]);
  // A field that the schema does not know is silently left out; its words are written in either case.
  const plain = (part: unknown) => JSON.parse(JSON.stringify(part ?? []).toLowerCase()) as unknown;
  expect(plain(kept.body)).toEqual(plain(content.body));
  expect(plain(kept.actions)).toEqual(plain(content.actions));
});

it('the official schema refuses what is none', () => {
  const wrong = { type: 'TextBlock', text: 'x', color: 'purple', colour: 'red' };
  const { problems, kept } = read({ type: 'AdaptiveCard', version: '1.4', body: [wrong, { type: 'Nope' }] });
  expect(problems).toHaveLength(2);
  expect(kept.body).toEqual([{ type: 'TextBlock', text: 'x' }]);
});
