/**
 * Shared memory between the hop and the capture thread: one writer, one reader, no lock. Control words are 32-bit and
 * count modulo 2^32; positions are bytes written and read since the ring was made.
 */
export type RingMemory = { readonly control: SharedArrayBuffer; readonly bytes: SharedArrayBuffer };

/** Words of the control block. */
export const WORD = {
  written: 0,
  read: 1,
  /** Numbers that the hop has given. */
  given: 2,
  /** Up to here the capture thread has taken over. */
  taken: 3,
  sampledOut: 4,
  /** 1: the reader waits to be woken. */
  asleep: 5,
  /** 1: the reader gets too little of the processor. */
  short: 6,
  /** Position that lies at the front of the bytes. */
  front: 7,
  /** Losses on the hop by reason, in the order of HOP_LOSSES. */
  lost: 8,
} as const;
const WORDS = 16;

/** Records begin at multiples of this, so that their numbers can be read in place. */
const ALIGN = 8;
/** Instead of a record's size: the rest of the round is empty. */
const SKIP = 0xffff_ffff;

const MIB = 1024 * 1024;
const SMALLEST = 8 * MIB;
const LARGEST = 128 * MIB;
/** Heads of one exchange and its numbers, at most. */
const HEADS = 80 * 1024;

/** A ring that an exchange with two bodies of `bodyCap` bytes fits into, whatever is where. */
export function ringMemory(bodyCap: number, smallest = SMALLEST): RingMemory {
  let size = smallest;
  while (size < LARGEST && size / 2 < 2 * bodyCap + HEADS) size *= 2;
  return { control: new SharedArrayBuffer(WORDS * 4), bytes: new SharedArrayBuffer(size) };
}

/** One thread's view of a ring. */
export type RingViews = {
  readonly control: Int32Array;
  readonly bytes: Buffer;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
};

export function ringViews({ control, bytes }: RingMemory): RingViews {
  return {
    control: new Int32Array(control),
    bytes: Buffer.from(bytes),
    u32: new Uint32Array(bytes),
    f64: new Float64Array(bytes),
  };
}

/**
 * The writer's end: room is claimed, filled and published. An empty ring begins at its front again, so that a ring for the largest
 * bodies costs the memory of what waits in it at once, and not all of its bytes in turn.
 */
export class RingWriter {
  readonly views: RingViews;
  private readonly size: number;
  private written = 0;
  private front = 0;

  constructor(memory: RingMemory) {
    this.views = ringViews(memory);
    this.size = memory.bytes.byteLength;
  }

  /** Bytes that are free, in one piece or two. */
  get free(): number {
    return this.size - ((this.written - Atomics.load(this.views.control, WORD.read)) >>> 0);
  }

  /** Offset of room for `length` bytes, or -1. Nothing is visible to the reader before `publish`. */
  claim(length: number): number {
    const { control, u32 } = this.views;
    const wanted = aligned(length + ALIGN);
    const used = (this.written - Atomics.load(control, WORD.read)) >>> 0;
    if (used === 0) this.restart();
    const at = this.offset();
    const rest = this.size - at;
    if (wanted <= rest) {
      if (used + wanted > this.size) return -1;
    } else {
      // A record lies in one piece: the rest of this round stays empty.
      if (used + rest + wanted > this.size) return -1;
      u32[at >>> 2] = SKIP;
      this.written = (this.written + rest) >>> 0;
    }
    const start = this.offset();
    u32[start >>> 2] = wanted;
    return start + ALIGN;
  }

  /** What was claimed at `at` belongs to the reader now. */
  publish(at: number): void {
    const { control, u32 } = this.views;
    this.written = (this.written + (u32[(at - ALIGN) >>> 2] as number)) >>> 0;
    Atomics.store(control, WORD.written, this.written | 0);
  }

  private offset(): number {
    return (this.written - this.front) & (this.size - 1);
  }

  /** The reader has released all that it read: it looks for the front again before it reads what is published after this. */
  private restart(): void {
    if (this.front === this.written) return;
    this.front = this.written;
    Atomics.store(this.views.control, WORD.front, this.front | 0);
  }
}

/** The reader's end. What it has read stays where it is until it is released. */
export class RingReader {
  readonly views: RingViews;
  private readonly size: number;
  private position: number;

  constructor(memory: RingMemory) {
    this.views = ringViews(memory);
    this.size = memory.bytes.byteLength;
    this.position = Atomics.load(this.views.control, WORD.read) >>> 0;
  }

  /** Offset of the next record, or -1 when there is none. */
  next(): number {
    const { control, u32 } = this.views;
    const written = Atomics.load(control, WORD.written) >>> 0;
    if (this.position === written) return -1;
    let at = (this.position - Atomics.load(control, WORD.front)) & (this.size - 1);
    if (u32[at >>> 2] === SKIP) {
      this.position = (this.position + this.size - at) >>> 0;
      at = 0;
    }
    this.position = (this.position + (u32[at >>> 2] as number)) >>> 0;
    return at + ALIGN;
  }

  /** Gives the room of everything read back to the writer. */
  release(): void {
    Atomics.store(this.views.control, WORD.read, this.position | 0);
  }
}

const aligned = (length: number): number => (length + ALIGN - 1) & ~(ALIGN - 1);
