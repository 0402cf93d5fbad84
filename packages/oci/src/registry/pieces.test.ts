import { expect, it } from 'vitest';
import { pieces } from './pieces.ts';

async function* of(...chunks: string[]): AsyncIterable<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

async function cut(size: number, ...chunks: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const piece of pieces(of(...chunks), size)) found.push(piece.toString());
  return found;
}

it('cuts bytes into pieces of one size, whatever they came in', async () => {
  expect(await cut(3, 'abcdefgh')).toEqual(['abc', 'def', 'gh']);
  expect(await cut(3, 'a', 'b', '', 'cd', 'efghi')).toEqual(['abc', 'def', 'ghi']);
  expect(await cut(3)).toEqual([]);
  expect(await cut(9, 'ab')).toEqual(['ab']);
});

it('leaves a piece alone while the next one is made', async () => {
  const held: Buffer[] = [];
  for await (const piece of pieces(of('aaabbbcccddd'), 3)) {
    held.push(piece);
    expect(held.slice(-2).map(String)).toEqual(['aaa', 'bbb', 'ccc', 'ddd'].slice(0, held.length).slice(-2));
  }
});
