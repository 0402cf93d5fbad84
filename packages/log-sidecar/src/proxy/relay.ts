import type { Tally } from '../tally.ts';
import { type Ends, type Turn, writeAll } from './turn.ts';

/**
 * Carries bytes between a client and its own upstream connection: back-pressure, half-close and reset each way.
 * The watch sees the client's bytes after they left. It sees the model's before, because the id header goes into them,
 * but what it does with the exchange it does behind them. Answers what is to be called with the model's bytes.
 */
export function relay(ends: Ends, turn: Turn, tally: Tally): (chunk: Buffer) => void {
  const { client, upstream, watch } = ends;
  client.on('data', (chunk: Buffer) => {
    tally.requestBytes += chunk.length;
    if (!upstream.write(chunk)) client.pause();
    turn.request(ends, chunk);
  });
  client.on('drain', () => upstream.resume());
  upstream.on('drain', () => client.resume());
  client.on('end', () => upstream.end());
  upstream.on('end', () => {
    turn.flush();
    writeAll(client, watch.upstreamEnded());
    client.end();
  });
  // An error on one side becomes a reset on the other: what each would have seen without us.
  client.on('error', () => {
    turn.flush();
    watch.clientGone();
    upstream.resetAndDestroy();
  });
  upstream.on('error', () => {
    turn.flush();
    watch.upstreamEnded();
    // Behind a proper end the error only answers our own late FIN: a reset now could take the answer from the client.
    if (!upstream.readableEnded) client.resetAndDestroy();
  });
  client.on('close', () => {
    turn.flush();
    watch.clientGone();
    upstream.destroy();
  });
  upstream.on('close', () => {
    turn.flush();
    watch.upstreamEnded();
    client.end();
  });
  return (chunk) => {
    tally.responseBytes += chunk.length;
    turn.response(ends, chunk);
  };
}
