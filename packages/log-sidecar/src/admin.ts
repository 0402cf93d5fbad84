import { createServer, type Server, type ServerResponse } from 'node:http';
import { answerAdmin, type Part } from '@fairway/core';
import { listen } from './listen.ts';
import type { Address, Spool } from './ports.ts';
import type { Tally } from './tally.ts';

/**
 * What became of this epoch's exchanges: captured = sent + inSpool + redacting + sampledOut + all dropped. `redacting`:
 * handed over by the hop, and not in the spool yet. `earlier` is what other epochs left; of those that were killed, at
 * most `killed` exchanges are gone with their memory.
 */
export type Account = {
  readonly epoch: string;
  readonly captured: number;
  readonly sent: number;
  readonly inSpool: number;
  readonly redacting: number;
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly earlier: { readonly sent: number; readonly inSpool: number; readonly killed: number };
};

/** `onTheWay`: between hop and spool; below 0 when more was taken over since the hop's counters were read. */
export function account(epoch: string, tally: Tally, spool: Pick<Spool, 'state'>, onTheWay: number): Account {
  const { exchanges, earlier } = spool.state();
  return {
    epoch,
    captured: tally.captured + Math.max(0, -onTheWay),
    sent: tally.sent,
    inSpool: exchanges - earlier,
    redacting: Math.max(0, onTheWay),
    sampledOut: tally.sampledOut,
    dropped: { ...tally.dropped },
    earlier: { sent: tally.recovered, inSpool: earlier, killed: tally.killed },
  };
}

type Ask = (question: 'metrics' | 'account') => Promise<string | undefined>;

/** `/healthz`, `/readyz`, `/metrics` and `/account`. */
export class AdminServer implements Part {
  readonly name = 'admin';
  private readonly address: Address;
  private readonly server: Server;

  /** `ask`: what the capture thread says; undefined when it does not answer. */
  constructor(address: Address, ready: () => string | undefined, ask: Ask) {
    this.address = address;
    const admin = { ready, metrics: () => metricsFrom(ask) };
    this.server = createServer((request, response) => {
      if (answerAdmin(admin, request, response)) return;
      if (request.url === '/account') void answerAccount(ask, response);
      else response.writeHead(404).end();
    });
  }

  async start(): Promise<void> {
    await listen(this.server, this.address);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** Prometheus' text format, version 0.0.4. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

async function metricsFrom(ask: Ask): Promise<{ contentType: string; body: string }> {
  const body = await ask('metrics');
  if (body === undefined) throw new Error('the capture thread does not answer');
  return { contentType: METRICS_TYPE, body };
}

async function answerAccount(ask: Ask, response: ServerResponse): Promise<void> {
  const body = await ask('account');
  if (body === undefined) response.writeHead(503).end('the capture thread does not answer\n');
  else response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}
