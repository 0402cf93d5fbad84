import { buildCard } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { checkMessage } from './validate.ts';

const envelope = (content: unknown) => ({
  type: 'message',
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
});
const card = (body: unknown, extra: object = {}) => envelope({ type: 'AdaptiveCard', version: '1.4', body, ...extra });
const problems = (message: unknown) => checkMessage(message, JSON.stringify(message).length).problems;

describe('a message', () => {
  it('that core builds is valid, also at its largest', () => {
    const facts = Array.from({ length: 300 }, (_, i) => ({ title: `F${i}`, value: '漢'.repeat(300) }));
    const message = buildCard({
      event: 'drift.alert',
      title: 'T',
      text: 'a\nb',
      facts,
      links: [{ title: 'Open', url: 'https://forge.example/1' }],
      deliveryId: 'd-1',
      tone: 'good',
    });
    expect(checkMessage(message, Buffer.byteLength(JSON.stringify(message))).problems).toEqual([]);
  });

  it('may use every element and action we know', () => {
    const body = [
      { type: 'TextBlock', text: 'x', wrap: true, size: 'Large', weight: 'bolder', color: 'Good' },
      { type: 'FactSet', facts: [{ title: 'a', value: 'b' }] },
      {
        type: 'Container',
        style: 'emphasis',
        items: [{ type: 'Image', url: 'https://x.example/i.png', altText: 'i' }],
      },
      { type: 'ColumnSet', columns: [{ type: 'Column', width: 'stretch', items: [{ type: 'TextBlock', text: 'y' }] }] },
      { type: 'ActionSet', actions: [{ type: 'Action.ToggleVisibility', targetElements: ['x'] }] },
    ];
    const actions = [{ type: 'Action.ShowCard', title: 'More', card: { type: 'AdaptiveCard', body: [] } }];
    expect(problems(card(body, { actions, msteams: { width: 'Full' } }))).toEqual([]);
  });

  it.each([
    ['no object', 'x', 'type must be "message"'],
    ['no attachments', { type: 'message' }, 'attachments is missing'],
    ['a MessageCard', envelope({ '@type': 'MessageCard' }), 'type is missing'],
    [
      'another content type',
      { type: 'message', attachments: [{ contentType: 'text/html', content: {} }] },
      'contentType',
    ],
    ['no version', envelope({ type: 'AdaptiveCard', body: [] }), 'version is missing'],
    ['version 1.5', envelope({ type: 'AdaptiveCard', version: '1.5', body: [] }), '"1.5"'],
    ['a Table', card([{ type: 'Table', rows: [] }]), '"Table" is not one of'],
    ['an unknown field', card([{ type: 'TextBlock', text: 'x', colour: 'good' }]), 'unknown field colour'],
    ['a missing text', card([{ type: 'TextBlock' }]), 'text is missing'],
    ['an RGB colour', card([{ type: 'TextBlock', text: 'x', color: '#f00' }]), 'must be one of'],
    ['a number as fact', card([{ type: 'FactSet', facts: [{ title: 'AUC', value: 0.8 }] }]), 'must be a string'],
    ['Action.Submit', card([], { actions: [{ type: 'Action.Submit', title: 'x' }] }), '"Action.Submit" is not one of'],
    ['a script link', card([], { actions: [{ type: 'Action.OpenUrl', url: 'javascript:x' }] }), 'http(s) URL'],
    ['something wrong deep inside', card([{ type: 'Container', items: [{ type: 'Chart.Line' }] }]), 'body[0].items[0]'],
    ['a prototype name as type', card([{ type: 'constructor' }]), '"constructor" is not one of'],
  ])('with %s is not', (_, message, problem) => {
    expect(problems(message).join('\n')).toContain(problem);
  });

  it('is lost when it is beyond 28,672 bytes after inflation', () => {
    expect(checkMessage(card([]), 23_893).problems).toEqual([]);
    expect(checkMessage(card([]), 23_894).problems).toEqual([expect.stringContaining('lost in the flow')]);
  });
});
