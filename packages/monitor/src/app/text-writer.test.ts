import { expect, test } from 'vitest';
import { TextWriter } from './text-writer.ts';
import { viewed } from './viewed.ts';

test('pieces make one text, of any length and in any letters, and the next one begins anew', () => {
  const writer = new TextWriter();
  for (const piece of ['ab', 'x'.repeat(3000), 'ü€𝄞', 'c']) {
    const bytes = viewed(Buffer.from(`__${piece}`));
    writer.begin();
    writer.all(viewed(Buffer.from('{')));
    for (let i = 0; i < 3; i++) writer.bytes(bytes, 2, bytes.bytes.length);
    writer.text('1e-7');
    expect(writer.end()).toBe(`{${piece.repeat(3)}1e-7`);
  }
});
