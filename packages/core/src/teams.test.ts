import { describe, expect, it } from 'vitest';
import { buildCard, type CardContent, classifyAnswer, deliverCard, escapeMarkdown, isKnownTeamsHost } from './teams.ts';

const content: CardContent = {
  event: 'drift.alert',
  title: 'home_equity decays',
  text: 'KS fell from 0.63 to 0.41.\n\nA retraining is proposed.',
  facts: [{ title: 'DEBTINC', value: 'PSI *0.41*' }],
  links: [{ title: 'Pull request', url: 'https://forge.example/pulls/7' }],
  deliveryId: 'alert:home_equity:2026Q3',
  tone: 'attention',
};
const cardOf = (c: CardContent) => buildCard(c).attachments[0].content;
const factsOf = (c: CardContent) =>
  cardOf(c).body.flatMap((element) => (element.type === 'FactSet' ? element.facts : []));

describe('buildCard', () => {
  it('makes the envelope a Teams workflow takes', () => {
    expect(buildCard(content)).toEqual({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            msteams: { width: 'Full' },
            fallbackText: 'home_equity decays: KS fell from 0.63 to 0.41.\n\nA retraining is proposed.',
            body: [
              {
                type: 'Container',
                style: 'attention',
                bleed: true,
                items: [
                  { type: 'TextBlock', text: 'home\\_equity decays', wrap: true, size: 'large', weight: 'bolder' },
                ],
              },
              { type: 'TextBlock', text: 'KS fell from 0.63 to 0.41.', wrap: true },
              { type: 'TextBlock', text: 'A retraining is proposed.', wrap: true },
              {
                type: 'FactSet',
                facts: [
                  { title: 'DEBTINC', value: 'PSI \\*0.41\\*' },
                  { title: 'Event', value: 'drift.alert' },
                  { title: 'Delivery', value: 'alert:home\\_equity:2026Q3' },
                ],
              },
            ],
            actions: [{ type: 'Action.OpenUrl', title: 'Pull request', url: 'https://forge.example/pulls/7' }],
          },
        },
      ],
    });
  });

  it('leaves actions out when there is no link', () => {
    expect(cardOf({ ...content, links: [] })).not.toHaveProperty('actions');
  });

  it.each([
    ['ASCII', 'x'],
    ['three-byte letters', '漢'],
    ['emoji', '🚢'],
    ['escaped quotes', '"'],
    ['backslashes', '\\'],
    ['control characters', '\u0001'],
  ])('stays within 20 KiB of UTF-8 with many long facts of %s and counts the rest', (_, letter) => {
    const facts = Array.from({ length: 500 }, (_, i) => ({ title: `F${i}`, value: letter.repeat(900) }));
    const links = Array.from({ length: 9 }, () => ({
      title: letter.repeat(90),
      url: `https://forge.example/${'y'.repeat(900)}`,
    }));
    const long = { event: letter.repeat(900), deliveryId: letter.repeat(900), title: letter.repeat(900) };
    const many = { ...content, ...long, text: letter.repeat(9_000), facts, links };
    expect(Buffer.byteLength(JSON.stringify(buildCard(many)))).toBeLessThanOrEqual(20_480);
    const shown = factsOf(many);
    const kept = shown.length - 3;
    expect(shown.at(-3)).toEqual({ title: '…', value: `${500 - kept} more` });
    expect(shown.slice(-2).map(({ title }) => title)).toEqual(['Event', 'Delivery']);
  });

  it('keeps every fact that fits', () => {
    const facts = Array.from({ length: 100 }, (_, i) => ({ title: `F${i}`, value: '0.1' }));
    expect(factsOf({ ...content, facts })).toHaveLength(102);
  });
});

describe('escapeMarkdown', () => {
  it.each([
    ['a_b*c', String.raw`a\_b\*c`],
    ['[link](x)', String.raw`\[link\](x)`],
    ['<at>Ann</at>', String.raw`\<at>Ann\</at>`],
    ['# title\n- item\n1. one', String.raw`\# title` + '\n' + String.raw`\- item` + '\n' + String.raw`1\. one`],
    ['-0.5 and 3.14', '-0.5 and 3.14'],
  ])('%j', (plain, escaped) => {
    expect(escapeMarkdown(plain)).toBe(escaped);
  });
});

describe('deliverCard', () => {
  const clock = { now: () => 0 };
  const facts = Array.from({ length: 200 }, (_, i) => ({ title: `F${i}`, value: 'x'.repeat(300) }));
  const long = { ...content, title: '漢'.repeat(200), text: '🚢'.repeat(9_000), facts };

  it('posts the card once when it is taken', async () => {
    const bodies: string[] = [];
    const post = async (body: string) => ({ status: bodies.push(body) > 0 ? 202 : 0 });
    expect(await deliverCard(content, post, clock)).toEqual({ kind: 'accepted' });
    expect(bodies).toEqual([JSON.stringify(buildCard(content))]);
  });

  it('posts it once more in few words when it is too large, and no third time', async () => {
    const bodies: string[] = [];
    const post = async (body: string) => ({ status: bodies.push(body) > 0 ? 413 : 0 });
    expect(await deliverCard(long, post, clock)).toMatchObject({
      kind: 'dead',
      reason: expect.stringContaining('413'),
    });
    expect(bodies).toHaveLength(2);
    expect(Buffer.byteLength(bodies[1] ?? '')).toBeLessThan(5_000);
    expect(bodies[1]).toContain('200 facts left out');
    expect(bodies[1]).toContain('alert:home\\\\_equity:2026Q3');
  });
});

describe('classifyAnswer', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  it.each([
    [202, undefined, { kind: 'accepted' }],
    [200, undefined, { kind: 'accepted' }],
    [408, undefined, { kind: 'retry', reason: 'Teams answered 408.' }],
    [429, '17', { kind: 'retry', reason: 'Teams answered 429.', afterMs: 17_000 }],
    [429, 'Sun, 22 Nov 2026 10:00:30 GMT', { kind: 'retry', reason: 'Teams answered 429.', afterMs: 30_000 }],
    [429, 'Sun, 22 Nov 2026 09:00:00 GMT', { kind: 'retry', reason: 'Teams answered 429.', afterMs: 0 }],
    [429, 'soon', { kind: 'retry', reason: 'Teams answered 429.' }],
    [500, undefined, { kind: 'retry', reason: 'Teams answered 500.' }],
    [503, '2', { kind: 'retry', reason: 'Teams answered 503.', afterMs: 2_000 }],
    [undefined, undefined, { kind: 'retry', reason: 'Teams does not answer.' }],
  ])('%s, Retry-After %s', (status, retryAfter, answer) => {
    expect(classifyAnswer({ status, retryAfter }, now)).toEqual(answer);
  });

  it.each([302, 400, 401, 403, 404, 409, 410, 413, 422])('%d is final and says how to mend it', (status) => {
    const answer = classifyAnswer({ status, retryAfter: '5' }, now);
    expect(answer).toMatchObject({ kind: 'dead', reason: expect.stringContaining(String(status)) });
  });

  it.each([
    ['<!DOCTYPE html><title>Sign in</title>', 'dead'],
    ['\uFEFF\n <HTML lang="en">', 'dead'],
    ['<?xml version="1.0"?><!-- proxy --><html>', 'dead'],
    ['', 'accepted'],
    ['1', 'accepted'],
    ['{"html": "<html>"}', 'accepted'],
  ])('a 200 with %j is %s', (body, kind) => {
    const answer = classifyAnswer({ status: 200, body }, now);
    expect(answer.kind).toBe(kind);
    if (answer.kind === 'dead') expect(answer.reason).toContain('web page');
  });
});

it.each([
  ['https://prod-01.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=x', true],
  ['https://default1.01.environment.api.powerplatform.com:443/powerautomate/automations/direct/cu/01/x?sig=y', true],
  ['https://flows.example.com/anything', false],
  ['https://logic.azure.com.example.com/', false],
])('%s is a host that Teams workflows are known to have: %s', (url, known) => {
  expect(isKnownTeamsHost(url)).toBe(known);
});
