import { type ExchangeHead, readNumber } from '@fairway/core';
import { allowance } from './allowance.ts';
import { Look, QUOTE } from './look.ts';
import type { Place } from './viewed.ts';

/** What differs from call to call. */
const VARYING = /"(id|seq|time|latencyMs|correlationId|requestLength|responseLength)":("[^"]*"|-?\d[\d.]*)(?=[,}])/g;

/** `texts`: which of the values are texts. */
type Known = {
  readonly look: Look;
  readonly names: readonly string[];
  readonly texts: readonly boolean[];
  readonly rest: ExchangeHead;
};

/** So many looks are kept, those that were met last; so many are learnt at first, then one for each so many heads. */
const [MOST_LOOKS, LEARNT_FIRST, HEADS_FOR_ONE] = [16, 16, 200];

/** The head, or why it is none, as text. */
export type HeadReader = (place: Place) => ExchangeHead | string;

/**
 * Reads heads: one that differs from some that were parsed before in nothing but its numbers, times and ids is not parsed,
 * with the same result. Kept for all packs.
 */
export function headReader(): HeadReader {
  const looks: Known[] = [];
  const learning = allowance(LEARNT_FIRST, HEADS_FOR_ONE);
  return (place) => {
    learning.tick();
    for (let at = 0; at < looks.length; at++) {
      const known = looks[at] as Known;
      const head = known.look.matches(place) ? headOf(known, place.bytes) : undefined;
      if (head === undefined) continue;
      if (at > 0) looks.unshift(...looks.splice(at, 1));
      return head;
    }
    const { bytes, from, to } = place;
    const head = parsed(bytes.subarray(from, to));
    const known =
      typeof head === 'string' || !learning.take() ? undefined : knownOf(bytes.toString('latin1', from, to), head);
    if (known !== undefined && looks.unshift(known) > MOST_LOOKS) looks.pop();
    return head;
  };
}

/** undefined: some value is of another kind, or one that only the parser reads. */
function headOf({ look, names, texts, rest }: Known, bytes: Buffer): ExchangeHead | undefined {
  const head: Record<string, unknown> = { ...rest };
  for (let i = 0; i < names.length; i++) {
    const [start, end] = [look.starts[i] as number, look.ends[i] as number];
    const isText = bytes[start] === QUOTE;
    if (isText !== texts[i]) return undefined;
    if (isText) head[names[i] as string] = bytes.toString('latin1', start + 1, end - 1);
    else {
      const number = readNumber(bytes, start, end);
      if (!Number.isFinite(number)) return undefined;
      head[names[i] as string] = number;
    }
  }
  return head as ExchangeHead;
}

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
function knownOf(text: string, rest: ExchangeHead): Known | undefined {
  const found = [...text.matchAll(VARYING)];
  const names = found.map(([, name]) => name as string);
  const isTwice = (name: string) => text.indexOf(`"${name}"`) !== text.lastIndexOf(`"${name}"`);
  if (text.lastIndexOf('{') > 0 || text.includes('\\') || names.some(isTwice)) return undefined;
  const between: string[] = [];
  let at = 0;
  for (const { 0: all, 1: name, index } of found) {
    between.push(`${text.slice(at, index)}"${name}":`);
    at = index + all.length;
  }
  const texts = found.map(([, , value]) => value?.startsWith('"') ?? false);
  return { look: new Look([...between, text.slice(at)]), names, texts, rest };
}
