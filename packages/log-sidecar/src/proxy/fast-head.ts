import { HEAD_CAP, type RequestHead, type ResponseHead } from './head.ts';

/**
 * Heads as most callers and TF Serving write them, read in one pass over their bytes. Whatever is less common is left to
 * head.ts, which is strict and slower: both say the same of every head that this one reads.
 */

const [CR, LF, SPACE, COLON, SLASH, ZERO, NINE] = [0x0d, 0x0a, 0x20, 0x3a, 0x2f, 0x30, 0x39];
const NAME = 1;
const VALUE = 2;
const VISIBLE = 4;

/** What a byte may be part of. */
const KIND = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const char = String.fromCharCode(byte);
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) KIND[byte] = NAME;
  // Only ASCII: other values are UTF-8 for head.ts to read.
  if (byte === 0x09 || (byte >= 0x20 && byte <= 0x7e)) KIND[byte] = (KIND[byte] as number) | VALUE;
  if (byte >= 0x21 && byte <= 0x7e) KIND[byte] = (KIND[byte] as number) | VISIBLE;
}

/** Two of the names that head.ts reads, and the rest of them; all in small letters. */
const CONTENT_LENGTH = bytesOf('content-length');
const REQUEST_ID = bytesOf('x-request-id');
const OTHERS = ['transfer-encoding', 'x-fairway-time', 'content-encoding'].map(bytesOf);
/** Of other lengths there is none. */
const LONGEST = 17;
const LENGTHS = new Uint8Array(LONGEST + 1);
for (const { length } of [CONTENT_LENGTH, REQUEST_ID, ...OTHERS]) LENGTHS[length] = 1;
const MOST_DIGITS = 15;
const SMALL = 0x20;

const POST = bytesOf('POST ');
const VERSION = bytesOf(' HTTP/1.1\r\n');
const OK = bytesOf('HTTP/1.1 200 ');

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** So many heads in turn were not as the one before, and they are not compared any longer. */
const PATIENCE = 16;
/** Of a longer head nothing is kept: there is one for each connection. */
const REMEMBERED_CAP = 1024;

/** The bytes of one head and what was read there: comparing is a quarter of reading. */
class Remembered<Head> {
  private bytes = Buffer.alloc(0);
  private head: Head | undefined;
  private patience = PATIENCE;

  get length(): number {
    return this.bytes.length;
  }

  /** What was read in the same bytes before. */
  at(bytes: Buffer, at: number): Head | undefined {
    const { length } = this;
    if (length === 0 || bytes.length - at < length || this.bytes.compare(bytes, at, at + length) !== 0)
      return undefined;
    this.patience = PATIENCE;
    return this.head;
  }

  keep(bytes: Buffer, at: number, end: number, head: Head): void {
    if (this.patience === 0) return;
    this.patience--;
    this.head = head;
    this.bytes = Buffer.allocUnsafeSlow(this.patience === 0 || end - at > REMEMBERED_CAP ? 0 : end - at);
    bytes.copy(this.bytes, 0, at, at + this.bytes.length);
  }
}

/** Reads heads of one direction; what it found stands in its fields until the next one. */
export class FastHead {
  /** Offset behind the blank line. */
  end = 0;
  private readonly requests = new Remembered<RequestHead>();
  private readonly responses = new Remembered<ResponseHead>();
  private length = -1;
  private correlationId: string | undefined;
  /** A connection mostly asks for the same again, which needs no new string. */
  private target = '';
  private targetBytes: Uint8Array = new Uint8Array(0);

  /** The head at `at`; undefined: not whole, or not for this one. */
  request(bytes: Buffer, at: number): RequestHead | undefined {
    return this.again(this.requests, bytes, at) ?? this.kept(this.requests, bytes, at, this.readRequest(bytes, at));
  }

  /** The same for an answer that has a length. */
  response(bytes: Buffer, at: number): ResponseHead | undefined {
    return this.again(this.responses, bytes, at) ?? this.kept(this.responses, bytes, at, this.readResponse(bytes, at));
  }

  private again<Head>(last: Remembered<Head>, bytes: Buffer, at: number): Head | undefined {
    const head = last.at(bytes, at);
    if (head) this.end = at + last.length;
    return head;
  }

  private kept<Head>(last: Remembered<Head>, bytes: Buffer, at: number, head: Head | undefined): Head | undefined {
    if (head) last.keep(bytes, at, this.end, head);
    return head;
  }

  private readRequest(bytes: Buffer, at: number): RequestHead | undefined {
    if (!isAt(bytes, at, POST)) return undefined;
    const from = at + POST.length;
    let to = from;
    if (bytes[to] !== SLASH) return undefined;
    while (((KIND[bytes[to] as number] as number) & VISIBLE) !== 0) to++;
    if (!isAt(bytes, to, VERSION) || !this.fields(bytes, to + VERSION.length, at)) return undefined;
    return {
      method: 'POST',
      target: this.targetAt(bytes, from, to),
      body: Math.max(0, this.length),
      correlationId: this.correlationId,
      eventTime: undefined,
      encoding: undefined,
    };
  }

  private readResponse(bytes: Buffer, at: number): ResponseHead | undefined {
    if (!isAt(bytes, at, OK)) return undefined;
    let to = at + OK.length;
    while (((KIND[bytes[to] as number] as number) & VALUE) !== 0) to++;
    if (bytes[to] !== CR || bytes[to + 1] !== LF || !this.fields(bytes, to + 2, at) || this.length < 0)
      return undefined;
    return { status: 200, body: this.length };
  }

  private targetAt(bytes: Buffer, from: number, to: number): string {
    const { targetBytes } = this;
    if (to - from !== targetBytes.length || !isAt(bytes, from, targetBytes)) {
      this.targetBytes = new Uint8Array(bytes.subarray(from, to));
      this.target = bytes.toString('latin1', from, to);
    }
    return this.target;
  }

  /** All field lines and the blank line. */
  private fields(bytes: Buffer, start: number, head: number): boolean {
    this.length = -1;
    this.correlationId = undefined;
    let at = start;
    while (bytes[at] !== CR) {
      const name = at;
      while (((KIND[bytes[at] as number] as number) & NAME) !== 0) at++;
      if (bytes[at] !== COLON || at === name) return false;
      const colon = at++;
      while (((KIND[bytes[at] as number] as number) & VALUE) !== 0) at++;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) return false;
      const size = colon - name;
      if (size <= LONGEST && LENGTHS[size] === 1 && !this.field(bytes, name, colon, at)) return false;
      at += 2;
    }
    this.end = at + 2;
    return bytes[at + 1] === LF && this.end - head <= HEAD_CAP;
  }

  private field(bytes: Buffer, start: number, colon: number, end: number): boolean {
    const isLength = isName(bytes, start, colon, CONTENT_LENGTH);
    if (!isLength && !isName(bytes, start, colon, REQUEST_ID))
      return !OTHERS.some((name) => isName(bytes, start, colon, name));
    let from = colon + 1;
    let to = end;
    while (from < to && isBlank(bytes[from] as number)) from++;
    while (to > from && isBlank(bytes[to - 1] as number)) to--;
    if (isLength) return this.readLength(bytes, from, to);
    this.correlationId ??= bytes.toString('latin1', from, to);
    return true;
  }

  private readLength(bytes: Buffer, from: number, to: number): boolean {
    if (this.length >= 0 || to === from || to - from > MOST_DIGITS) return false;
    let length = 0;
    for (let at = from; at < to; at++) {
      const digit = bytes[at] as number;
      if (digit < ZERO || digit > NINE) return false;
      length = length * 10 + digit - ZERO;
    }
    this.length = length;
    return true;
  }
}

function isAt(bytes: Buffer, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** Whether the token from `start` to `end` is `name` in whatever letters. */
function isName(bytes: Buffer, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (((bytes[start + i] as number) | SMALL) !== name[i]) return false;
  return true;
}

const isBlank = (byte: number): boolean => byte === SPACE || byte === 0x09;
