import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Part, pause } from '@fairway/core';
import type { ConnectionWatch } from '../connection-watch.ts';
import { listen } from '../listen.ts';
import type { Address, AgentClock } from '../ports.ts';
import type { Tally } from '../tally.ts';
import { type Accept, intoOneBuffer } from './reads.ts';
import { relay, type Relayed } from './relay.ts';
import { type Ends, Turn } from './turn.ts';

/** At stop: when nothing moved for so long, connections without an exchange under way are closed. */
const QUIET_MS = 500;
/** The same for clients that never pause, between two of their exchanges. */
const BUSY_MS = 2000;
const SOCKETS = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };

export type ListenerConfig = {
  readonly name: string;
  readonly address: Address;
  readonly upstream: Address;
  /** At stop: how long open connections may go on. */
  readonly graceMs: number;
};

export type ListenerParts = {
  readonly clock: AgentClock;
  readonly tally: Tally;
  /** How an accepted connection is read. */
  readonly accept: Accept;
  /** Who looks on at a new connection. */
  readonly watch: () => ConnectionWatch;
};

/** A port that the Service points at: one upstream connection per client connection, bytes both ways. */
export class Listener implements Part {
  readonly name: string;
  private readonly config: ListenerConfig;
  private readonly parts: ListenerParts;
  private readonly clock: AgentClock;
  private readonly server: Server;
  private readonly connections = new Set<Ends>();
  private readonly turn = new Turn();
  private listening = false;

  constructor(config: ListenerConfig, parts: ListenerParts) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.clock = parts.clock;
    const options = { ...SOCKETS, pauseOnConnect: true };
    this.server = createServer(options, (accepted) => this.accept(accepted));
  }

  /** Why the port is not open; undefined when it is. */
  get notReady(): string | undefined {
    return this.listening ? undefined : `the ${this.name} port is not open`;
  }

  async start(): Promise<void> {
    await listen(this.server, this.config.address);
    this.listening = true;
  }

  /** Accepts no more, forwards until the connections end or are quiet, and cuts what is left after the grace. */
  async stop(): Promise<void> {
    this.listening = false;
    this.server.close();
    const began = this.clock.monotonic();
    const deadline = began + this.config.graceMs;
    let moved = -1;
    let quietSince = began;
    while (this.connections.size > 0 && this.clock.monotonic() < deadline) {
      const { requestBytes, responseBytes } = this.parts.tally;
      if (requestBytes + responseBytes !== moved) quietSince = this.clock.monotonic();
      moved = requestBytes + responseBytes;
      const now = this.clock.monotonic();
      if (now - quietSince >= QUIET_MS || now - began >= BUSY_MS) this.closeIdle();
      await pause(20);
    }
    for (const { client, upstream } of this.connections) {
      client.destroy();
      upstream.destroy();
    }
  }

  private accept(accepted: Socket): void {
    let relayed: Relayed | undefined;
    const client = this.parts.accept(accepted, (chunk) => relayed?.asked(chunk) ?? false);
    const onread = intoOneBuffer((chunk) => relayed?.answered(chunk) ?? false);
    const upstream = connect({ ...this.config.upstream, ...SOCKETS, onread });
    const connection = { client, upstream, watch: this.parts.watch() };
    this.connections.add(connection);
    this.parts.tally.connections++;
    client.once('close', () => {
      this.connections.delete(connection);
      this.parts.tally.connections--;
    });
    relayed = relay(connection, this.turn, this.parts.tally);
  }

  private closeIdle(): void {
    for (const { client, upstream, watch } of this.connections) {
      if (!watch.idle) continue;
      client.end();
      upstream.end();
    }
  }
}
