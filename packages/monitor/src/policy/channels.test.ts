import { expect, test } from 'vitest';
import { unknownChannels } from './channels.ts';

const to = { alert: ['teams', 'mial', 'mial'], recovered: ['mial'], warning: ['pager'] };

test('each name that is no channel is told once, with its events and the channels that there are', () => {
  expect(unknownChannels({ notify: { on: [], to } }, ['teams', 'mail'])).toEqual([
    'notify.to names mial for alert and recovered, which is no channel of this monitor: it has teams and mail. Check the spelling, or configure the channel.',
    'notify.to names pager for warning, which is no channel of this monitor: it has teams and mail. Check the spelling, or configure the channel.',
  ]);
});

test('a monitor without channels says that nobody is told', () => {
  expect(unknownChannels({ notify: { on: [], to: { alert: ['teams'] } } }, [])).toEqual([
    'notify.to names teams for alert, and this monitor has no channel at all: nobody is told anything.',
  ]);
});

test.each([{ alert: ['teams'] }, undefined])('nothing to say of %j', (given) => {
  expect(unknownChannels({ notify: { on: [], to: given } }, ['teams'])).toEqual([]);
});
