import type { Socket } from 'node:net';
import type { ConnectionWatch } from '../connection-watch.ts';

/** Up to here copying the pieces of an answer together is cheaper than a gathered write of them. */
const COPY_LIMIT = 16 * 1024;
/** Larger chunks are not collected: a side that does not read must stop the other one before it is read any further. */
const AT_ONCE = 16 * 1024;
const NOTHING: readonly Buffer[] = [];

/** The two ends of one connection, and who looks on. */
export type Ends = { readonly client: Socket; readonly upstream: Socket; readonly watch: ConnectionWatch };

type Step = { readonly ends: Ends; readonly chunk: Buffer; readonly ofModel: boolean; out: readonly Buffer[] };

/**
 * What one turn of the event loop has read, of all connections, is looked at together at its end, in the order in which
 * it came: one kind of work behind the other finds its code and data in the processor's caches (measured: 7 µs by exchange
 * instead of 17), and no system call comes between. The client's bytes are on their way to the model by then. Where a turn
 * brings one chunk only, the next one does not wait.
 */
export class Turn {
  private steps: Step[] = [];
  private came = 0;
  /** The last turn read one chunk: there is nothing to wait for in this one. */
  private isQuiet = false;
  private readonly end = () => {
    this.flush();
    this.isQuiet = this.came === 1;
    this.came = 0;
  };

  /** Bytes of the client that are already on their way to the model. true: they have been looked at. */
  request(ends: Ends, chunk: Buffer): boolean {
    return this.add({ ends, chunk, ofModel: false, out: NOTHING });
  }

  /** Bytes of the model for the client. true: they have been looked at, and written. */
  response(ends: Ends, chunk: Buffer): boolean {
    return this.add({ ends, chunk, ofModel: true, out: NOTHING });
  }

  /** Everything that was read so far; to be called before a connection's end is acted on. */
  flush(): void {
    const { steps } = this;
    if (steps.length === 0) return;
    this.steps = [];
    for (const step of steps) {
      const { watch } = step.ends;
      if (step.ofModel) step.out = watch.response(step.chunk);
      else watch.request(step.chunk);
    }
    for (const { ends, ofModel, out } of steps) {
      if (ofModel && !writeAll(ends.client, out)) ends.upstream.pause();
    }
    for (const { ends, ofModel } of steps) if (ofModel) ends.watch.forwarded?.();
  }

  /** true when it has been looked at. */
  private add(step: Step): boolean {
    this.steps.push(step);
    if (this.came++ === 0) setImmediate(this.end);
    if (!this.isQuiet && step.chunk.length <= AT_ONCE) return false;
    this.flush();
    return true;
  }
}

/** false when the socket has enough for now. */
export function writeAll(socket: Socket, pieces: readonly Buffer[]): boolean {
  if (pieces.length === 1) return socket.write(pieces[0] as Buffer);
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length <= COPY_LIMIT)
    return length === 0 ? !socket.writableNeedDrain : socket.write(Buffer.concat(pieces, length));
  let flowing = true;
  socket.cork();
  for (const piece of pieces) flowing = socket.write(piece);
  socket.uncork();
  return flowing;
}
