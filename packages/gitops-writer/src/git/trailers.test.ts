import { expect, it } from 'vitest';
import { withSignOff } from './trailers.ts';

const bot = { name: 'Bot', email: 'bot@example.com' };
const line = 'Signed-off-by: Bot <bot@example.com>';

it.each([
  ['below the trailers', 'S\n\nText\n\nA-B: 1\nC: 2\n', `S\n\nText\n\nA-B: 1\nC: 2\n${line}\n`],
  ['below a trailer that goes over two lines', 'S\n\nA: 1\n  more', `S\n\nA: 1\n  more\n${line}\n`],
  [
    'as a paragraph of its own after text',
    'S\n\nText: not at all\na trailer\n',
    `S\n\nText: not at all\na trailer\n\n${line}\n`,
  ],
  ['as a paragraph of its own after a subject that looks like a trailer', 'fix: it\n', `fix: it\n\n${line}\n`],
  ['once', `S\n\nA: 1\n${line}\n`, `S\n\nA: 1\n${line}\n`],
])('adds the sign-off %s', (_, message, wanted) => {
  expect(withSignOff(message, bot)).toBe(wanted);
  expect(withSignOff(wanted, bot)).toBe(wanted);
});
