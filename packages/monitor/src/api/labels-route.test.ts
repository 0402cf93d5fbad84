import { FairwayError } from '@fairway/core';
import { expect, it } from 'vitest';
import type { LabelBatch } from './labels-body.ts';
import { bookAll } from './labels-route.ts';

const batch = (id: string): LabelBatch => ({ labels: [{ id, label: 1 }], refused: [] });
const joined = { joined: 1, early: 0, unchanged: 0, corrected: 0, refused: [] };

it('reads the next batch while one is booked, and books them one after the other', async () => {
  const events: string[] = [];
  let tell = () => {};
  const read = new Promise<void>((resolve) => (tell = resolve));
  async function* batches() {
    yield batch('a');
    tell();
    yield batch('b');
  }
  const summary = await bookAll(batches(), async ({ labels }) => {
    events.push(`${labels[0]?.id} begins`);
    // Of the batch that follows: it is read meanwhile.
    await read;
    events.push(`${labels[0]?.id} ends`);
    return joined;
  });
  expect(summary).toMatchObject({ joined: 2, refusedTotal: 0 });
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

it('says how many are booked when what follows cannot be read, and nothing of it when none is', async () => {
  async function* broken(before: readonly string[]) {
    for (const id of before) yield batch(id);
    throw new FairwayError('input.invalid', 'A line is too long.');
  }
  const book = () => Promise.resolve(joined);
  await expect(bookAll(broken(['a', 'b']), book)).rejects.toThrow(/too long\. The first 2 labels are booked; send the/);
  await expect(bookAll(broken([]), book)).rejects.toThrow(/^A line is too long\.$/);
});

it('ends with the failure of a booking, although the next batch never comes', async () => {
  async function* stuck() {
    yield batch('a');
    await new Promise(() => {});
  }
  await expect(bookAll(stuck(), () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
});
