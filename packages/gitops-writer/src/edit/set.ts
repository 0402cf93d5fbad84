import { isScalar } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { afterIndicator, isUnwritten, locate, type Place, refusal, spoken } from './locate.ts';
import { proven, type Splice } from './splice.ts';
import { doubleQuoted, type ScalarValue, singleQuoted, spell } from './spell.ts';

/**
 * The file with another scalar at a place that has one already, in the same kind of quotes where it had some. Every other
 * byte stays. Throws `model.invalid` with a sentence when that cannot be proven.
 */
export function setScalar(file: RepositoryFile, place: Place, value: ScalarValue): string {
  const refuse = refusal(file, `set ${spoken(place)} to ${JSON.stringify(value)}`);
  const found = locate(file, place, refuse);
  const { node } = found;
  if (typeof value === 'number' && !Number.isFinite(value)) throw refuse('the value is no number that YAML can hold');
  const replace = (start: number, end: number, before: string) =>
    spellings(isScalar(node) ? node.type : undefined, value).map((text): Splice[] => [
      { start, end, text: `${before}${text}` },
    ]);
  let ways: Splice[][];
  if (node === undefined || isUnwritten(node)) {
    const after = afterIndicator(found);
    if (after === undefined) throw refuse(`${spoken(place)} has no value to replace`);
    ways = replace(after, after, ' ');
  } else {
    if (!isScalar(node) || node.range == null) throw refuse(`${spoken(place)} is not a single value`);
    if (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL')
      throw refuse(`${spoken(place)} is a block of text`);
    const [start, end] = node.range;
    ways = replace(start, end, '');
  }
  return proven(file.text, found, place, () => value, ways, refuse);
}

function spellings(style: string | null | undefined, value: ScalarValue): string[] {
  if (typeof value !== 'string') return [String(value)];
  if (style === 'QUOTE_DOUBLE') return [doubleQuoted(value)];
  if (style === 'QUOTE_SINGLE') return [singleQuoted(value), doubleQuoted(value)];
  return [spell(value), doubleQuoted(value)];
}
