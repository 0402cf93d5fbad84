import { once } from 'node:events';
import { type AddressInfo, createServer, type OnReadOpts, type Server, Socket } from 'node:net';
import { type Logger, type Part, pause } from '@fairway/core';
import type { Tally } from '../tally.ts';

/** Where bytes arrive, of all connections: what is read is copied out before the next read. */
const READS = Buffer.allocUnsafeSlow(64 * 1024);
const PROBE_MS = 2000;

/**
 * Small chunks are parts of pieces of so many bytes. Of Node's own 8 KiB each eighth prediction needs another one, which is made,
 * counted and collected outside the heap; a larger one would be held by a single prediction that waits for its answer.
 */
const PIECE = 32 * 1024;

/** Larger chunks come out of a store of their own, where they can: memory outside the heap is dear to make and to collect. */
const LARGE = 16 * 1024;
const STORED = 16;
const store: Buffer[] = [];

/** What becomes of the bytes that were read; true: nobody holds on to them. */
export type Take = (chunk: Buffer) => boolean;

/**
 * Reads into one buffer for all: a third cheaper than the stream's own way, which makes 64 KiB for each read, puts it through
 * its queue, and has them collected.
 */
export const intoOneBuffer = (take: Take): OnReadOpts => ({
  buffer: READS,
  callback: (length) => {
    if (length > LARGE) takeLarge(length, take);
    else {
      const chunk = Buffer.allocUnsafe(length);
      READS.copy(chunk, 0, 0, length);
      take(chunk);
    }
    return true;
  },
});

function takeLarge(length: number, take: Take): void {
  const room = store.pop() ?? Buffer.allocUnsafeSlow(READS.length);
  READS.copy(room, 0, 0, length);
  const isFree = take(room.subarray(0, length));
  if (isFree && store.length < STORED) store.push(room);
}

/** A connection that a server accepted and paused, as the socket to go on with; what it reads goes to `take`. */
export type Accept = (accepted: Socket, take: Take) => Socket;

/** As Node documents it. */
export const byEvents: Accept = (accepted, take) => accepted.on('data', take).resume();

/** What a socket has below it, as far as we count on it. */
type Handle = { readonly useUserBuffer?: unknown; readonly readStart?: unknown };
type Wrapped = { _handle?: Handle | null };

/** Read like a connection that we opened: its handle goes into a socket that was made with `onread` (ADR 11). */
export const byBuffer: Accept = (accepted, take) => {
  const { _handle: handle } = accepted as Wrapped;
  if (typeof handle?.useUserBuffer !== 'function' || typeof handle.readStart !== 'function')
    return byEvents(accepted, take);
  const options = { handle, allowHalfOpen: true, onread: intoOneBuffer(take) };
  const socket = new Socket(options);
  (accepted as Wrapped)._handle = null;
  // It takes leave of its server, and nothing else is left of it.
  accepted.destroy();
  return socket;
};

/** Bytes come, bytes go, and each end is seen: true when a connection accepted like this does what it has to. */
export async function works(accept: Accept): Promise<boolean> {
  const late = new AbortController();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (accepted) => {
    const socket = accept(accepted, (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end()).on('error', () => {});
  });
  server.on('error', () => {});
  const caller = new Socket({ allowHalfOpen: true });
  caller.on('error', () => {});
  try {
    return await Promise.race([echoes(server, caller), pause(PROBE_MS, late.signal).then(() => false)]);
  } catch {
    return false;
  } finally {
    late.abort();
    caller.destroy();
    server.close();
  }
}

async function echoes(server: Server, caller: Socket): Promise<boolean> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let answer = '';
  caller.on('data', (bytes) => (answer += bytes.toString('latin1')));
  caller.connect((server.address() as AddressInfo).port, '127.0.0.1').end('echo');
  await once(caller, 'end');
  return answer === 'echo';
}

/** Chooses, before a port opens, how accepted connections are read. */
export class Reads implements Part {
  readonly name = 'reads';
  private readonly tally: Tally;
  private readonly log: Logger;
  private way: Accept = byEvents;

  constructor(tally: Tally, log: Logger) {
    this.tally = tally;
    this.log = log;
  }

  readonly accept: Accept = (accepted, take) => this.way(accepted, take);

  async start(): Promise<void> {
    Buffer.poolSize = PIECE;
    this.tally.oneBuffer = await works(byBuffer);
    this.way = this.tally.oneBuffer ? byBuffer : byEvents;
    if (this.tally.oneBuffer) this.log.info({ way: 'buffer' }, 'connections are read into one buffer');
    else
      this.log.warn({ way: 'events' }, 'this Node cannot read accepted connections into one buffer: each costs more');
  }

  stop(): void {}
}
