import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A stretch of network between a client and a server on 127.0.0.1 that does what networks do on a bad day. */
export type Wire = {
  readonly port: number;
  /** How often `cutAfter` has cut. */
  readonly cuts: number;
  /** Cuts every connection as soon as `bytes` more have gone towards the server; new ones are let through. */
  cutAfter(bytes: number): void;
  /** The server gets everything, the client no answer, until `mend`. */
  loseAnswers(): void;
  /** Nothing passes, either way, until `mend`. */
  freeze(): void;
  /** Whole again: connections that lost bytes are cut, since their two ends do not agree any more. */
  mend(): void;
  stop(): void;
};

export async function startWire(target: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let mode: 'whole' | 'deaf' | 'frozen' = 'whole';
  let left = Number.POSITIVE_INFINITY;
  let cuts = 0;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const passes = (towards: 'server' | 'client', bytes: number): boolean => {
    if (mode !== 'whole') return mode === 'deaf' && towards === 'server';
    if (towards === 'server') left -= bytes;
    return true;
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    join(client, upstream, sockets, (chunk) => {
      const room = left;
      if (!passes('server', chunk.length)) return;
      upstream.write(chunk.subarray(0, room));
      if (left > 0) return;
      left = Number.POSITIVE_INFINITY;
      cuts++;
      // What was let through shall still arrive.
      upstream.end();
      client.destroy();
    });
    join(upstream, client, sockets, (chunk) => void (passes('client', chunk.length) && client.write(chunk)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cutAfter: (bytes) => {
      left = bytes;
    },
    loseAnswers: () => {
      mode = 'deaf';
    },
    freeze: () => {
      mode = 'frozen';
    },
    mend: () => {
      left = Number.POSITIVE_INFINITY;
      if (mode !== 'whole') cut();
      mode = 'whole';
    },
    stop: () => {
      server.close();
      cut();
    },
  };
}

function join(from: Socket, to: Socket, sockets: Set<Socket>, pass: (chunk: Buffer) => void): void {
  sockets.add(from);
  from.on('data', pass);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    sockets.delete(from);
    to.destroy();
  });
}
