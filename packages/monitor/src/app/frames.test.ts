import { gzipSync } from 'node:zlib';
import { encodeExchange } from '@fairway/core';
import { expect, test } from 'vitest';
import { Framed, inflated, readFrames } from './frames.ts';
import { PREDICT_HEAD } from './predict-head.ts';
import { viewed } from './viewed.ts';

const MIB = 1024 * 1024;

test.each([
  ['small', [100]],
  ['large', [3 * MIB]],
  ['in parts, of which the last is small', [3 * MIB, 10]],
  ['in parts, of which the last is none', [100, 0]],
])('a gzip is inflated, whatever its last bytes say: %s', async (_, sizes) => {
  const parts = sizes.map((size, index) => Buffer.alloc(size, 0x61 + index));
  const found = await inflated(Buffer.concat(parts.map((part) => gzipSync(part))));
  expect(found.equals(Buffer.concat(parts))).toBe(true);
});

test.each([Buffer.alloc(0), Buffer.from('abc'), gzipSync('abcdef').subarray(0, -3), Buffer.from('no gzip at all')])(
  'what is no gzip is refused: %#',
  async (packed) => {
    await expect(inflated(packed)).rejects.toThrow();
  },
);

const bodies = { request: Buffer.from('question'), response: Buffer.from('') };
const framed = encodeExchange({ head: PREDICT_HEAD, ...bodies });

test('a frame gives back its parts and all of its bytes', async () => {
  const pack = { payload: gzipSync(Buffer.concat([framed, framed.subarray(0)])).toString('base64') };
  const { frames } = await readFrames(pack as Parameters<typeof readFrames>[0]);
  expect(frames).toHaveLength(1);
  const [frame] = frames;
  // Of equal ids the last one stands.
  expect(frame?.position).toBe(1);
  expect(frame?.head).toEqual(PREDICT_HEAD);
  expect(frame?.parts()).toEqual([Buffer.from(JSON.stringify(PREDICT_HEAD)), bodies.request, bodies.response]);
  expect(frame?.bytes()).toEqual(framed);
});

test('bytes that end in the middle of an exchange are refused', () => {
  for (let length = 1; length < framed.length; length += 7) {
    expect(() => new Framed(viewed(framed.subarray(0, length)), 0, 0, () => '')).toThrow(
      expect.objectContaining({ code: 'pack.invalid' }),
    );
  }
});
