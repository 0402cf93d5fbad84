import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { BYTES, eachField, VARINT } from '@fairway/core';
import { cut, token } from './redact.ts';
import type { Change, Rules } from './rules.ts';

/** Thrown for a value that a rule changes and that is not written as text: its tensor has no room for one. */
export class Unchangeable extends Error {}

const DT_STRING = 7;
const TASKS = /^\/tensorflow\.serving\.PredictionService\/(?:Classify|Regress|MultiInference)$/;

type Rewrite = (id: number, start: number, end: number) => Uint8Array | 'drop' | undefined;

/**
 * A message of TensorFlow Serving's PredictionService with every variable under a rule's name changed: tensors of
 * predictions and their answers, features of examples and of their context. All else stays as it is, byte for byte.
 * Throws RangeError when it is no message, {@link Unchangeable} when a rule hashes or cuts what is no text.
 */
export function redactGrpc(
  message: Uint8Array,
  place: { readonly target: string; readonly side: 'request' | 'response'; readonly most: number },
  rules: Rules,
  key: string,
): Uint8Array {
  // No head says it of an answer; but no message begins with what every gzip begins with.
  const isGzip = message[0] === 0x1f && message[1] === 0x8b;
  const bytes = isGzip ? gunzipSync(message, { maxOutputLength: place.most }) : Buffer.from(message);
  const redactor = new Redactor(bytes, rules, key);
  const isTask = TASKS.test(place.target);
  // What tasks are answered with are scores: no variable has its name there.
  if (isTask && place.side === 'response') return redactor.rewritten(0, bytes.length, () => undefined);
  const field = place.side === 'request' ? 2 : 1;
  return redactor.rewritten(0, bytes.length, (id, start, end) => {
    if (id !== field) return undefined;
    return isTask ? redactor.input(start, end) : redactor.entry(start, end, (...tensor) => redactor.tensor(...tensor));
  });
}

class Redactor {
  private readonly bytes: Buffer;
  private readonly rules: Rules;
  private readonly key: string;

  constructor(bytes: Buffer, rules: Rules, key: string) {
    this.bytes = bytes;
    this.rules = rules;
    this.key = key;
  }

  /** Input → its list, with or without context → tf.Example → Features → the map's entries. */
  input(start: number, end: number): Uint8Array {
    const entries = (start: number, end: number) =>
      this.rewritten(start, end, (id, start, end) =>
        id === 1 ? this.entry(start, end, (...feature) => this.feature(...feature)) : undefined,
      );
    const example = (start: number, end: number) =>
      this.rewritten(start, end, (id, start, end) => (id === 1 ? entries(start, end) : undefined));
    const list = (start: number, end: number) => this.rewritten(start, end, (_, start, end) => example(start, end));
    return this.rewritten(start, end, (_, start, end) => list(start, end));
  }

  /** An entry of a map: name and value. */
  entry(
    start: number,
    end: number,
    changed: (start: number, end: number, change: Change) => Uint8Array,
  ): Uint8Array | 'drop' | undefined {
    let name = '';
    eachField(this.bytes, start, end, (id, wire, from, to) => {
      if (id === 1 && wire === BYTES) name = this.bytes.toString('utf8', from, to);
    });
    const action = this.rules.get(name);
    if (action === undefined) return undefined;
    if (action.kind === 'drop') return 'drop';
    return this.rewritten(start, end, (id, from, to) => (id === 2 ? changed(from, to, action) : undefined));
  }

  tensor(start: number, end: number, change: Change): Uint8Array {
    let [dtype, isContent] = [0, false];
    eachField(this.bytes, start, end, (id, wire, value, to) => {
      if (id === 1 && wire === VARINT) dtype = value;
      if (id === 4 && wire === BYTES && to > value) isContent = true;
    });
    if (dtype !== DT_STRING || isContent) throw new Unchangeable();
    return this.rewritten(start, end, (id, from, to) => (id === 8 ? this.text(from, to, change) : undefined));
  }

  private feature(start: number, end: number, change: Change): Uint8Array {
    return this.rewritten(start, end, (kind, start, end) => {
      if (kind !== 1) throw new Unchangeable();
      return this.rewritten(start, end, (id, from, to) => (id === 1 ? this.text(from, to, change) : undefined));
    });
  }

  private text(start: number, end: number, change: Change): Uint8Array {
    const bytes = this.bytes.subarray(start, end);
    if (change.kind === 'hash') return Buffer.from(token(this.key, bytes));
    if (!isUtf8(bytes)) return bytes.subarray(0, change.characters);
    return Buffer.from(cut(bytes.toString('utf8'), change.characters));
  }

  /** The message with some of its fields of bytes written anew, or left out. */
  rewritten(start: number, end: number, rewrite: Rewrite): Buffer {
    const out: Uint8Array[] = [];
    let [from, last] = [start, start];
    eachField(this.bytes, start, end, (id, wire, value, stop) => {
      const written = wire === BYTES ? rewrite(id, value, stop) : undefined;
      if (written !== undefined) {
        out.push(this.bytes.subarray(from, last));
        if (written !== 'drop') out.push(varint(id * 8 + BYTES), varint(written.length), written);
        from = stop;
      }
      last = stop;
    });
    return Buffer.concat([...out, this.bytes.subarray(from, end)]);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
