import type { Logger } from '@fairway/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Collection, type Page, reconnectDelay, type Reflector, reflector, type WatchEvent } from './reflector.ts';

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const item = (name: string, version: string) => ({ metadata: { name, resourceVersion: version } });

type Stream = {
  readonly version: string;
  readonly open: () => void;
  readonly say: (event: WatchEvent) => void;
  readonly end: (error?: unknown) => void;
};

/** A collection that does what the test says. */
function world(pages: Page[]) {
  let now = 0;
  const heard: string[] = [];
  const streams: Stream[] = [];
  const listed: Array<string | undefined> = [];
  const collection: Collection = {
    list: (next) => {
      listed.push(next);
      const page = pages.shift();
      return page === undefined ? Promise.reject(new Error('the server is away')) : Promise.resolve(page);
    },
    watch: (version, open, say, signal) =>
      new Promise((resolve, reject) => {
        const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
        signal.addEventListener('abort', () => resolve());
        streams.push({ version, open, say, end });
      }),
  };
  const name = (object: unknown) => (object as ReturnType<typeof item>).metadata.name;
  const sink = {
    listing: () => {
      const all: unknown[] = [];
      return {
        page: (items: readonly unknown[]) => void all.push(...items),
        done: () => void heard.push(`all ${all.map(name).join(' ')}`),
      };
    },
    put: (object: unknown) => void heard.push(`put ${name(object)}`),
    remove: (object: unknown) => void heard.push(`remove ${name(object)}`),
  };
  const watching = reflector('things', collection, sink, { now: () => now }, SILENT, () => 0);
  const stream = async (index: number): Promise<Stream> => {
    await vi.waitFor(() => expect(streams.length).toBeGreaterThan(index), { timeout: 5_000 });
    return streams[index] as Stream;
  };
  return { watching, heard, listed, stream, pass: (ms: number) => (now += ms) };
}

let running: Reflector | undefined;
afterEach(() => running?.stop());
const started = (pages: Page[]) => {
  const made = world(pages);
  running = made.watching;
  void made.watching.start();
  return made;
};

describe('a reflector', () => {
  it('lists page by page, then watches from the version of the list', async () => {
    const { heard, listed, stream } = started([
      { items: [item('a', '1')], version: '5', next: 'more' },
      { items: [item('b', '2')], version: '5' },
    ]);
    const { version, say } = await stream(0);
    expect([version, listed]).toEqual(['5', [undefined, 'more']]);
    say({ type: 'ADDED', object: item('c', '6') });
    say({ type: 'DELETED', object: item('a', '7') });
    expect(heard).toEqual(['all a b', 'put c', 'remove a']);
  });

  it('goes on after a cut at the last version it heard of, bookmarks included, without a new list', async () => {
    const { listed, heard, stream } = started([{ items: [], version: '5' }]);
    const first = await stream(0);
    first.say({ type: 'MODIFIED', object: item('a', '6') });
    first.say({ type: 'BOOKMARK', object: item('', '9') });
    first.end(new Error('socket hang up'));
    expect((await stream(1)).version).toBe('9');
    expect([listed.length, heard]).toEqual([1, ['all ', 'put a']]);
  });

  it.each<[string, (stream: Stream) => void]>([
    ['as an event', ({ say, end }) => (say({ type: 'ERROR', object: { code: 410, reason: 'Expired' } }), end())],
    ['as the status', ({ end }) => end(Object.assign(new Error('Gone'), { statusCode: 410 }))],
  ])('lists again when its version has expired, told %s', async (_, expire) => {
    const { heard, stream } = started([
      { items: [item('a', '1')], version: '5' },
      { items: [item('b', '20')], version: '20' },
    ]);
    expire(await stream(0));
    expect((await stream(1)).version).toBe('20');
    expect(heard).toEqual(['all a', 'all b']);
  });

  it('does not take what follows an error for the truth', async () => {
    const { heard, stream } = started([
      { items: [], version: '5' },
      { items: [], version: '8' },
    ]);
    const { say, end } = await stream(0);
    say({ type: 'ERROR', object: { code: 500 } });
    say({ type: 'ADDED', object: item('late', '6') });
    end();
    expect((await stream(1)).version).toBe('8');
    expect(heard).toEqual(['all ', 'all ']);
  });

  it('is current only while the watch is open and gives signs of life', async () => {
    const { watching, pass, stream } = started([{ items: [], version: '5' }]);
    const first = await stream(0);
    expect(watching.current()).toBe(false);
    first.open();
    expect(watching.current()).toBe(true);
    pass(119_999);
    expect(watching.current()).toBe(true);
    pass(1);
    expect(watching.current()).toBe(false);
    first.say({ type: 'BOOKMARK', object: item('', '6') });
    expect(watching.current()).toBe(true);
    first.end();
    await stream(1);
    expect(watching.current()).toBe(false);
  });

  it('tries a list that failed again, and stops in the middle of waiting', async () => {
    const { listed, watching } = started([]);
    await vi.waitFor(() => expect(listed.length).toBeGreaterThan(1), { timeout: 5_000 });
    await watching.stop();
    const tries = listed.length;
    await new Promise(setImmediate);
    expect(listed.length).toBe(tries);
  });
});

describe('reconnecting', () => {
  it.each([
    [0, 50, 100],
    [1, 250, 500],
    [2, 500, 1_000],
    [7, 15_000, 30_000],
    [50, 15_000, 30_000],
  ])('after %d failures waits between %d and %d ms', (failures, least, most) => {
    expect(reconnectDelay(failures, 0)).toBe(least);
    expect(reconnectDelay(failures, 0.999_999)).toBeCloseTo(most, 0);
  });
});
