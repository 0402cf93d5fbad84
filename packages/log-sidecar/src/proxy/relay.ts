import type { Socket } from 'node:net';
import type { ConnectionWatch } from '../connection-watch.ts';
import type { Tally } from '../tally.ts';

/** Up to here copying the pieces of an answer together is cheaper than a gathered write of them. */
const COPY_LIMIT = 16 * 1024;

/**
 * Carries bytes between a client and its own upstream connection: back-pressure, half-close and reset each way.
 * The watch sees the client's bytes after they left. It sees the model's before, because the id header goes into them,
 * but what it does with the exchange it does behind them. Answers what is to be called with the model's bytes.
 */
export function relay(client: Socket, upstream: Socket, watch: ConnectionWatch, tally: Tally): (chunk: Buffer) => void {
  client.on('data', (chunk: Buffer) => {
    tally.requestBytes += chunk.length;
    if (!upstream.write(chunk)) client.pause();
    watch.request(chunk);
  });
  client.on('drain', () => upstream.resume());
  upstream.on('drain', () => client.resume());
  client.on('end', () => upstream.end());
  upstream.on('end', () => {
    writeAll(client, watch.upstreamEnded());
    client.end();
  });
  // An error on one side becomes a reset on the other: what each would have seen without us.
  client.on('error', () => {
    watch.clientGone();
    upstream.resetAndDestroy();
  });
  upstream.on('error', () => {
    watch.upstreamEnded();
    // Behind a proper end the error only answers our own late FIN: a reset now could take the answer from the client.
    if (!upstream.readableEnded) client.resetAndDestroy();
  });
  client.on('close', () => {
    watch.clientGone();
    upstream.destroy();
  });
  upstream.on('close', () => {
    watch.upstreamEnded();
    client.end();
  });
  return (chunk) => {
    tally.responseBytes += chunk.length;
    if (!writeAll(client, watch.response(chunk))) upstream.pause();
    watch.forwarded?.();
  };
}

function writeAll(socket: Socket, pieces: readonly Buffer[]): boolean {
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
