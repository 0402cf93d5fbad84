import { createHmac } from 'node:crypto';
import type { Change, Rules } from './rules.ts';
import { JsonCursor } from './json-cursor.ts';

/** 132 bits: no two values of one variable share a token. */
const TOKEN_CHARACTERS = 22;
const INTEGER = /^-?\d+$/;
const BYTES = /\{\s*"b64"\s*:\s*"([\w+/=-]*)"\s*\}/y;

/** Thrown for a request whose values have no names, so that no rule can tell them apart. */
export class Unnamed extends Error {}

/**
 * The body's JSON with every value under a rule's name changed, wherever it stands: row and column form, `context`,
 * nested, answers. All other bytes stay as they are. Throws SyntaxError when it cannot be read.
 */
export function redactJson(text: string, rules: Rules, key: string, side: 'request' | 'response'): string {
  return new Redactor(text, rules, key, side).run();
}

/** What is under the cursor: to be searched, left alone (it goes as a whole), or changed down to its leaves. */
type Mode = 'search' | 'skip' | Change;
type Kind = 'object' | 'bytes' | 'list' | 'leaf';

/** One pass without a tree: trees of large bodies take the hop's process tenths of a second. */
class Redactor {
  private readonly cursor: JsonCursor;
  private readonly text: string;
  private readonly rules: Rules;
  private readonly key: string;
  private readonly side: 'request' | 'response';
  private out = '';
  /** Before it everything is in `out`, or left out. */
  private from = 0;

  constructor(text: string, rules: Rules, key: string, side: 'request' | 'response') {
    this.cursor = new JsonCursor(text);
    this.text = text;
    this.rules = rules;
    this.key = key;
    this.side = side;
  }

  run(): string {
    const { cursor } = this;
    if (cursor.peek() !== '{') cursor.fail();
    this.value('search', 0);
    if (cursor.peek() !== '') cursor.fail();
    return this.out + this.text.slice(this.from);
  }

  private value(mode: Mode, depth: number): Kind {
    const { cursor } = this;
    const first = cursor.peek();
    if (first === '{' && typeof mode === 'object' && this.bytes(mode)) return 'bytes';
    if (first === '{') return this.members(mode, depth);
    if (first === '[') return this.items(mode, depth, false);
    const start = cursor.at;
    cursor.leaf(first);
    if (typeof mode === 'object') this.leaf(mode, start);
    return 'leaf';
  }

  private items(mode: Mode, depth: number, named: boolean): Kind {
    const { cursor } = this;
    cursor.open(depth);
    for (let more = cursor.peek() !== ']'; more; more = cursor.separator(']')) {
      const kind = this.value(mode, depth + 1);
      if (named && kind !== 'object') throw new Unnamed();
    }
    cursor.at++;
    return 'list';
  }

  private members(mode: Mode, depth: number): Kind {
    const { cursor } = this;
    cursor.open(depth);
    let [count, kept, bytes, comma] = [0, 0, false, cursor.at];
    for (let more = cursor.peek() !== '}'; more; ) {
      const name = cursor.name();
      const action = mode === 'search' ? this.rules.get(name) : undefined;
      if (action?.kind === 'drop') {
        this.value('skip', depth + 1);
        this.replace(comma, '');
      } else {
        const kind = action ? this.value(action, depth + 1) : this.member(name, mode, depth);
        bytes = name === 'b64' && kind === 'leaf';
        kept++;
      }
      count++;
      comma = cursor.next();
      more = cursor.separator('}');
      // Nothing stands before this comma any more.
      if (more && kept === 0 && mode === 'search') this.replace(comma, '');
      if (kept === 0) comma = cursor.at;
    }
    cursor.at++;
    return bytes && count === 1 ? 'bytes' : 'object';
  }

  /** TF Serving lets a model with one input leave its name away: whose values those are is not known here. */
  private member(name: string, mode: Mode, depth: number): Kind {
    const isInput = depth === 0 && this.side === 'request' && /^(?:instances|examples|inputs)$/.test(name);
    if (!isInput) return this.value(mode, depth + 1);
    if (name !== 'inputs' && this.cursor.peek() === '[') return this.items(mode, depth + 1, true);
    const kind = this.value(mode, depth + 1);
    if (kind !== 'object') throw new Unnamed();
    return kind;
  }

  /** `{"b64": …}` is a value like a text, and hashes like one. */
  private bytes(change: Change): boolean {
    BYTES.lastIndex = this.cursor.at;
    const match = BYTES.exec(this.text);
    if (!match) return false;
    const start = this.cursor.at;
    this.cursor.at = BYTES.lastIndex;
    const bytes = Buffer.from(match[1] ?? '', 'base64');
    const kept = () => ({
      b64: bytes.subarray(0, change.kind === 'truncate' ? change.characters : 0).toString('base64'),
    });
    this.replace(start, JSON.stringify(change.kind === 'hash' ? this.token(bytes) : kept()));
    return true;
  }

  /** Null and NaN stay. That a value is missing is counted, and tells nothing else. */
  private leaf(change: Change, start: number): void {
    const written = this.text.slice(start, this.cursor.at);
    if (written === 'null' || written === 'NaN') return;
    const text = written.startsWith('"') ? (JSON.parse(written) as string) : undefined;
    const changed =
      change.kind === 'hash' ? this.token(text ?? plainNumber(written)) : cut(text ?? written, change.characters);
    this.replace(start, JSON.stringify(changed));
  }

  private token(value: string | Uint8Array): string {
    return token(this.key, value);
  }

  /** Puts a text in the place of what stands between `start` and the cursor. */
  private replace(start: number, text: string): void {
    this.out += this.text.slice(this.from, start) + text;
    this.from = this.cursor.at;
  }
}

/** 1, 1.0 and 1e0 are one value and get one token; digits beyond a double's are kept, and so are true and false. */
function plainNumber(written: string): string {
  const value = Number(written);
  const kept = Number.isNaN(value) || (INTEGER.test(written) && !Number.isSafeInteger(value));
  return kept ? written : String(value);
}

/** What stands for a value that a rule hashes. */
export const token = (key: string, value: string | Uint8Array): string =>
  createHmac('sha256', key).update(value).digest('base64url').slice(0, TOKEN_CHARACTERS);

/** The first characters, none of them halved. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  let end = 0;
  for (let i = 0; i < characters && end < text.length; i++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}
