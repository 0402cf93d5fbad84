import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Answer } from './answer.ts';
import { byLink, byNextPage, itemsOf, nextLink, type NextPage, untilEmpty } from './pages.ts';

const answer = (headers: Record<string, string>, data: unknown = []): Answer => ({ status: 200, data, headers });

it.each([
  ['<https://h/p?page=2>; rel="next", <https://h/p?page=9>; rel="last"', 'https://h/p?page=2'],
  ['<https://h/p?page=1>; rel="prev", <https://h/p?page=3>; rel="next"', 'https://h/p?page=3'],
  ['<https://h/p?a=1,2;3>; title="a, b; c"; rel=next', 'https://h/p?a=1,2;3'],
  ['<https://h/p?page=4>; rel="last next"', 'https://h/p?page=4'],
  ['<https://h/p?page=1>; rel="first", <https://h/p?page=9>; rel="last"', undefined],
  ['<https://h/p?page=1>; rel="nextish"', undefined],
  ['', undefined],
  [undefined, undefined],
])('the next page of %s is %s', (header, url) => expect(nextLink(header)).toBe(url));

it.each([
  ['2', { page: 2 }],
  ['', undefined],
  ['x', undefined],
])('x-next-page %j continues with %j', (header, expected) => {
  expect(byNextPage(answer({ 'x-next-page': header, link: '<https://h/9>; rel="next"' }), 1, 20)).toEqual(expected);
});

describe('a list', () => {
  const read = async (pages: readonly Answer[], next: NextPage) => {
    const asked: string[] = [];
    const call = (_method: string, path: string, options: { query?: object } = {}) => {
      asked.push(`${path} ${JSON.stringify(options.query)}`);
      return Promise.resolve(pages[asked.length - 1] ?? answer({}));
    };
    const items: number[] = [];
    for await (const item of itemsOf(call, next, z.number(), 'the list', '/l', { size: 2 })) items.push(item);
    return { asked, items };
  };

  it('follows links, whatever the counts say', async () => {
    const pages = [
      answer({ link: '<https://h/l?page=2>; rel="next"', 'x-total-count': '2' }, [1, 2]),
      answer({ link: '<https://h/l?page=1>; rel="prev"', 'x-total-count': '2' }, [3, 4]),
    ];
    const asked = ['/l {"size":2}', 'https://h/l?page=2 {}'];
    expect(await read(pages, byLink)).toEqual({ asked, items: [1, 2, 3, 4] });
  });

  it('goes on past a short page until one is empty', async () => {
    const pages = [answer({}, [1]), answer({}, [2, 3]), answer({}, [])];
    const asked = ['/l {"size":2}', '/l {"size":2,"page":2}', '/l {"size":2,"page":3}'];
    expect(await read(pages, untilEmpty)).toEqual({ asked, items: [1, 2, 3] });
  });

  it('ends when a server runs in circles', async () => {
    const again = answer({ link: '<https://h/l>; rel="next"' }, []);
    await expect(
      read(
        Array.from({ length: 10_001 }, () => again),
        byLink,
      ),
    ).rejects.toThrow(/goes on and on/);
  });
});
