import type { ExchangeHead } from '@fairway/core';
import { allowance } from './allowance.ts';
import { literally, NUMBER, STRING, wholly } from './form.ts';

/** What differs from call to call. */
const VARYING = /"(id|seq|time|latencyMs|correlationId|requestLength|responseLength)":("[^"]*"|-?\d[\d.]*)(?=[,}])/g;

type Look = { readonly pattern: RegExp; readonly names: readonly string[]; readonly rest: ExchangeHead };

/** So many looks are kept, those that were met last; so many are learnt at first, then one for each so many heads. */
const [MOST_LOOKS, LEARNT_FIRST, HEADS_FOR_ONE] = [16, 16, 200];

/** The head, or why it is none, as text. */
export type HeadReader = (bytes: Buffer) => ExchangeHead | string;

/**
 * Reads heads: one that differs from some that were parsed before in nothing but its numbers, times and ids is not parsed,
 * with the same result. Kept for all packs: V8 makes a pattern fast when it has been used for a while.
 */
export function headReader(): HeadReader {
  const looks: Look[] = [];
  const learning = allowance(LEARNT_FIRST, HEADS_FOR_ONE);
  return (bytes) => {
    const text = bytes.toString('latin1');
    learning.tick();
    for (const [place, look] of looks.entries()) {
      const found = look.pattern.exec(text);
      if (found === null) continue;
      if (place > 0) looks.unshift(...looks.splice(place, 1));
      return headOf(look, found);
    }
    const head = parsed(bytes);
    const look = typeof head === 'string' || !learning.take() ? undefined : lookOf(text, head);
    if (look !== undefined && looks.unshift(look) > MOST_LOOKS) looks.pop();
    return head;
  };
}

function headOf({ names, rest }: Look, found: RegExpExecArray): ExchangeHead {
  const head: Record<string, unknown> = { ...rest };
  for (let i = 0; i < names.length; i++) head[names[i] as string] = valueOf(found[i + 1] as string);
  return head as ExchangeHead;
}

const valueOf = (token: string): string | number => (token.startsWith('"') ? token.slice(1, -1) : Number(token));

function parsed(bytes: Buffer): ExchangeHead | string {
  try {
    const head = JSON.parse(bytes.toString('utf8')) as ExchangeHead | null;
    const isHead = typeof head?.id === 'string' && typeof head.model === 'string' && typeof head.version === 'string';
    return isHead ? head : 'the head lacks id, model or version';
  } catch (error) {
    return `the head is no JSON: ${(error as Error).message}`;
  }
}

/** undefined where a name may stand for something else: inside of an object of the head's, twice, or in other letters. */
function lookOf(text: string, rest: ExchangeHead): Look | undefined {
  const found = [...text.matchAll(VARYING)];
  const names = found.map(([, name]) => name as string);
  const isTwice = (name: string) => text.indexOf(`"${name}"`) !== text.lastIndexOf(`"${name}"`);
  if (text.lastIndexOf('{') > 0 || text.includes('\\') || names.some(isTwice)) return undefined;
  let [source, at] = ['', 0];
  for (const { 0: all, 1: name, 2: token, index } of found) {
    source += `${literally(text.slice(at, index))}"${name}":(${token?.startsWith('"') ? STRING : NUMBER})`;
    at = index + all.length;
  }
  const pattern = wholly(source + literally(text.slice(at)));
  return pattern && { pattern, names, rest };
}
