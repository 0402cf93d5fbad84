/** PostgreSQL's binary COPY format (its manual, COPY, "Binary Format"): what one row is made of. */
export type CopyRows = {
  begin(): void;
  text(value: string | null): void;
  /** A text that is one of a few: its bytes are made once. */
  word(value: string | null): void;
  bytes(value: Uint8Array): void;
  int2(value: number | null): void;
  int4(value: number | null): void;
  int8(value: number | null): void;
  float8(value: number | null): void;
  /** `2026-11-22`, or `infinity`. */
  date(value: string | null): void;
  /** RFC 3339 with an offset. */
  time(value: string | null): void;
  /** An array without nulls: `write` writes one element of that type for each item. */
  list<T>(type: keyof typeof ELEMENTS, items: readonly T[], write: (item: T) => void): void;
  /** There is enough for one piece. */
  readonly isFull: boolean;
  /** The piece so far. */
  take(): Buffer;
  /** The last piece. */
  end(): Buffer;
};

/** Object ids of the types of elements (`pg_type.dat` in PostgreSQL's sources). */
const ELEMENTS = { int2: 21, int4: 23, int8: 20, text: 25 } as const;
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const PIECE = 256 * 1024;
/** What most rows need, and what is put beside them. */
const [ROW, MORE] = [400, 4096];
const EPOCH_2000_MS = 946_684_800_000;
const DAY_MS = 86_400_000;
const INFINITE_DAY = 0x7fff_ffff;
const MOST_WORDS = 1000;
const INT8_HIGH = 0x1_0000_0000;
/** Texts up to here are written by a loop: a call into the platform costs more. */
const SHORT = 48;

/**
 * Rows of `columns` fields each, about `rows` of them. A value that does not fit its column is not refused here: it is written so that PostgreSQL
 * refuses it (no column takes twelve zero bytes) and names the line, as it does with every other unfit row.
 */
export function copyRows(columns: number, rows = 1): CopyRows {
  let buffer = Buffer.allocUnsafe(roomFor(rows));
  let at = HEADER.copy(buffer);
  const words = new Map<string, Buffer>();
  const days = new Map<string, number>();
  const microsecondsOf = microseconds();

  const reserve = (bytes: number): void => {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + bytes + MORE));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  };
  const int32 = (value: number): void => {
    buffer[at++] = value >>> 24;
    buffer[at++] = value >>> 16;
    buffer[at++] = value >>> 8;
    buffer[at++] = value;
  };
  const length = (bytes: number): void => {
    reserve(bytes + 4);
    int32(bytes);
  };
  const nothing = (): void => {
    reserve(4);
    int32(-1);
  };
  const unfit = (): void => {
    length(12);
    buffer.fill(0, at, at + 12);
    at += 12;
  };
  const bytes = (value: Uint8Array): void => {
    length(value.length);
    if (value.length > SHORT) buffer.set(value, at);
    else for (let i = 0; i < value.length; i++) buffer[at + i] = value[i] as number;
    at += value.length;
  };
  const text = (value: string | null): void => {
    if (value === null) return nothing();
    if (typeof value !== 'string') return unfit();
    reserve(4 + value.length * 3);
    const start = at + 4;
    let end = start;
    if (value.length <= SHORT) {
      for (let i = 0; i < value.length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) {
          end = start + buffer.write(value, start, 'utf8');
          break;
        }
        buffer[end++] = code;
      }
    } else end = start + writeText(buffer, value, start);
    int32(end - start);
    at = end;
  };
  const whole = (value: number | null, size: 2 | 4 | 8, limit: number): boolean => {
    if (value === null) nothing();
    else if (!Number.isSafeInteger(value) || value < -limit || value >= limit) unfit();
    else {
      length(size);
      return true;
    }
    return false;
  };
  const int8 = (value: number | null): void => {
    if (!whole(value, 8, Number.MAX_SAFE_INTEGER)) return;
    const high = Math.floor((value as number) / INT8_HIGH);
    int32(high);
    int32((value as number) - high * INT8_HIGH);
  };

  return {
    begin: () => {
      reserve(2);
      at = buffer.writeInt16BE(columns, at);
    },
    text,
    word: (value) => {
      const known = value === null ? undefined : words.get(value);
      if (known !== undefined) return bytes(known);
      if (typeof value === 'string' && words.size < MOST_WORDS) words.set(value, Buffer.from(value, 'utf8'));
      text(value);
    },
    bytes,
    int2: (value) => {
      if (whole(value, 2, 0x8000)) at = buffer.writeInt16BE(value as number, at);
    },
    int4: (value) => {
      if (whole(value, 4, 0x8000_0000)) int32(value as number);
    },
    int8,
    float8: (value) => {
      if (value === null) return nothing();
      if (typeof value !== 'number') return unfit();
      length(8);
      at = buffer.writeDoubleBE(value, at);
    },
    date: (value) => {
      if (value === null) return nothing();
      let day = days.get(value);
      if (day === undefined) {
        day = value === 'infinity' ? INFINITE_DAY : (Date.parse(value) - EPOCH_2000_MS) / DAY_MS;
        if (days.size < MOST_WORDS) days.set(value, day);
      }
      if (whole(day, 4, 0x8000_0000)) int32(day);
    },
    time: (value) => (value === null ? nothing() : int8(microsecondsOf(value))),
    list: (type, items, write) => {
      reserve(24);
      const start = (at += 4);
      for (const field of [items.length === 0 ? 0 : 1, 0, ELEMENTS[type]]) int32(field);
      if (items.length > 0) {
        for (const field of [items.length, 1]) int32(field);
        for (const item of items) write(item);
      }
      buffer.writeInt32BE(at - start, start - 4);
    },
    get isFull() {
      return at >= PIECE;
    },
    take: () => {
      const piece = buffer.subarray(0, at);
      buffer = Buffer.allocUnsafe(PIECE + PIECE / 4);
      at = 0;
      return piece;
    },
    end: () => {
      reserve(2);
      at = buffer.writeInt16BE(-1, at);
      return buffer.subarray(0, at);
    },
  };
}

/** A buffer too many is one more that the collector is called for. */
const roomFor = (rows: number): number => Math.min(PIECE + PIECE / 4, MORE + rows * ROW);

/** Views are ASCII mostly: a byte for each character is copied, not looked at one by one. */
const writeText = (into: Buffer, text: string, at: number): number =>
  into.write(text, at, Buffer.byteLength(text) === text.length ? 'latin1' : 'utf8');

const FRACTION = /\.\d{3}(\d{1,3})/;
/** As the agent writes times: `2026-11-22T10:00:00.123Z`. */
const AGENT_TIME = 24;
const MINUTE = 17;
/** Microseconds since 2000; NaN where the text is no time, or one so far off that they do not fit a double. */
function microseconds(): (time: string) => number {
  const any = (time: string): number => {
    // `…:00.123Z` has no more to say; `…:00.123456Z` has.
    const rest = time.length <= AGENT_TIME ? undefined : FRACTION.exec(time)?.[1];
    return (Date.parse(time) - EPOCH_2000_MS) * 1000 + (rest === undefined ? 0 : Number(rest.padEnd(3, '0')));
  };
  let [last, lastMinute] = ['', 0];
  return (time) => {
    const ms = time.length === AGENT_TIME ? msOfMinute(time) : Number.NaN;
    if (Number.isNaN(ms)) return any(time);
    if (last === '' || !time.startsWith(last)) {
      last = time.slice(0, MINUTE);
      lastMinute = any(`${last}00.000Z`);
    }
    return lastMinute + ms * 1000;
  };
}

const [ZERO, DOT, LETTER_Z] = [0x30, 0x2e, 0x5a];

/** Of `…:07.123Z` 7123; NaN where the text ends otherwise. */
function msOfMinute(time: string): number {
  const digit = (at: number) => {
    const value = time.charCodeAt(at) - ZERO;
    return value >= 0 && value <= 9 ? value : Number.NaN;
  };
  if (time.charCodeAt(MINUTE + 2) !== DOT || time.charCodeAt(AGENT_TIME - 1) !== LETTER_Z) return Number.NaN;
  const seconds = digit(MINUTE) * 10 + digit(MINUTE + 1);
  return seconds < 60
    ? seconds * 1000 + digit(MINUTE + 3) * 100 + digit(MINUTE + 4) * 10 + digit(MINUTE + 5)
    : Number.NaN;
}
