import { CHUNK } from './bytes.ts';

/** Chunks of any length as a tar is read: so many bytes at a time. */
export type Tape = {
  /** Exactly `size` bytes, a copy; undefined when there are not so many. */
  take(size: number): Promise<Buffer | undefined>;
  /** The next `size` bytes in the pieces in which they come. Throws `short()` when there are not so many. */
  pass(size: number, short: () => Error, each: (piece: Buffer) => Promise<void>): Promise<void>;
  /** Reads to the end; false when a byte is not zero. */
  onlyZeros(): Promise<boolean>;
};

const ZEROS = Buffer.alloc(CHUNK);

export function tape(chunks: AsyncIterable<Buffer>): Tape {
  const piece = pieces(chunks[Symbol.asyncIterator]());
  return {
    async take(size) {
      const into = Buffer.alloc(size);
      for (let at = 0; at < size; ) {
        const part = await piece(size - at);
        if (part === undefined) return undefined;
        at += part.copy(into, at);
      }
      return into;
    },
    async pass(size, short, each) {
      for (let left = size; left > 0; ) {
        const part = await piece(left);
        if (part === undefined) throw short();
        left -= part.length;
        await each(part);
      }
    },
    async onlyZeros() {
      let zeros = true;
      for (let part = await piece(CHUNK); part !== undefined; part = await piece(CHUNK))
        zeros &&= part.equals(ZEROS.subarray(0, part.length));
      return zeros;
    },
  };
}

/** Answers the next piece of at most so many bytes; undefined at the end. */
function pieces(iterator: AsyncIterator<Buffer>): (size: number) => Promise<Buffer | undefined> {
  let rest: Buffer = Buffer.alloc(0);
  return async (size) => {
    while (rest.length === 0) {
      const { done, value } = await iterator.next();
      if (done === true) return undefined;
      rest = value;
    }
    const part = rest.subarray(0, size);
    rest = rest.subarray(part.length);
    return part;
  };
}
