import type { Tally } from '../tally.ts';
import type { Take } from './reads.ts';
import { type Ends, type Turn, writeAll } from './turn.ts';

/** What is to be called with the client's bytes, and with the model's. */
export type Relayed = { readonly asked: Take; readonly answered: Take };

/**
 * Carries bytes between a client and its own upstream connection: back-pressure, half-close and reset each way.
 * The watch sees the client's bytes after they left. It sees the model's before, because the id header goes into them,
 * but what it does with the exchange it does behind them.
 */
export function relay(ends: Ends, turn: Turn, tally: Tally): Relayed {
  const { client, upstream, watch } = ends;
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
  return {
    asked: (chunk) => {
      tally.requestBytes += chunk.length;
      if (!upstream.write(chunk)) client.pause();
      const isSeen = turn.request(ends, chunk);
      return isSeen && upstream.writableLength === 0 && watch.holds === false;
    },
    answered: (chunk) => {
      tally.responseBytes += chunk.length;
      const isSeen = turn.response(ends, chunk);
      return isSeen && client.writableLength === 0 && watch.holds === false;
    },
  };
}
