import { z } from 'zod';
import { parsed } from '../http/answer.ts';
import type { ForgeClient } from '../http/client.ts';
import { itemsOf, untilEmpty } from '../http/pages.ts';

const labelSchema = z.object({ id: z.int(), name: z.string() });

const COLOURS: Readonly<Record<string, string>> = {
  fairway: '1f6feb',
  'fairway/retrain': 'd4a017',
  'fairway/auto-merge': '8250df',
};
const COLOUR = '2da44e';
const PAGE = 50;

export type Labels = { idsOf(names: readonly string[]): Promise<number[]> };

/**
 * Gitea wants ids of labels; one that is not there yet is made. Ids are remembered. One question at a time, because
 * Gitea lets two labels have the same name.
 */
export function labels(call: ForgeClient): Labels {
  const known = new Map<string, number>();
  let last: Promise<unknown> = Promise.resolve();
  const idsOf = async (names: readonly string[]): Promise<number[]> => {
    if (!names.every((name) => known.has(name))) await learn(call, known);
    const ids: number[] = [];
    for (const name of names) ids.push(known.get(name) ?? (await create(call, known, name)));
    return ids;
  };
  return {
    idsOf: (names) => {
      const mine = last.then(() => idsOf(names));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function learn(call: ForgeClient, known: Map<string, number>): Promise<void> {
  const found = itemsOf(call, untilEmpty, labelSchema, 'the list of labels', '/labels', { limit: PAGE });
  for await (const { id, name } of found) if (!known.has(name)) known.set(name, id);
}

async function create(call: ForgeClient, known: Map<string, number>, name: string): Promise<number> {
  const body = { name, color: `#${COLOURS[name] ?? COLOUR}` };
  const { id } = parsed(labelSchema, `the label ${name}`, await call('POST', '/labels', { body }));
  known.set(name, id);
  return id;
}
