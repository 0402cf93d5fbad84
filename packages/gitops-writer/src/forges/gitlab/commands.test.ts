import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asText, fromText } from './commands.ts';

it.each([
  ['/close', '\\/close'],
  ['text\n/merge\n\n/Label ~x', 'text\n\\/merge\n\n\\/Label ~x'],
  ['\\/close', '\\\\/close'],
  ['a\r\n/approve', 'a\r\n\\/approve'],
  ['text /close\n / close\n//\n/1', 'text /close\n / close\n//\n/1'],
])('%j is no command as %j', (text, safe) => {
  expect(asText(text)).toBe(safe);
  expect(fromText(safe)).toBe(text);
});

it('gives back any text, and leaves no line that begins with a command', () => {
  const text = fc.array(fc.constantFrom('/', '\\', 'a', '\n', '\r', ' ', '1')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (any) => {
      expect(fromText(asText(any))).toBe(any);
      expect(asText(any)).not.toMatch(/^\/[a-z]/im);
    }),
  );
});
