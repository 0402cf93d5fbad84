import { createServer, type Server } from 'node:http';
import { type Admin, answerAdmin, type Part } from '@fairway/core';
import { listen } from './listen.ts';
import type { Address, Spool } from './ports.ts';
import type { Tally } from './tally.ts';

/** What became of this epoch's exchanges: captured = sent + inSpool + redacting + sampledOut + all dropped; `earlier` is what other epochs left. */
export type Account = {
  readonly epoch: string;
  readonly captured: number;
  readonly sent: number;
  readonly inSpool: number;
  readonly redacting: number;
  readonly sampledOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly earlier: { readonly sent: number; readonly inSpool: number };
};

export function account(epoch: string, tally: Tally, spool: Pick<Spool, 'state'>): Account {
  const { exchanges, earlier } = spool.state();
  return {
    epoch,
    captured: tally.captured,
    sent: tally.sent,
    inSpool: exchanges - earlier,
    redacting: tally.redacting,
    sampledOut: tally.sampledOut,
    dropped: { ...tally.dropped },
    earlier: { sent: tally.recovered, inSpool: earlier },
  };
}

/** `/healthz`, `/readyz`, `/metrics` and `/account`. */
export class AdminServer implements Part {
  readonly name = 'admin';
  private readonly address: Address;
  private readonly server: Server;

  constructor(address: Address, admin: Admin, readAccount: () => Account) {
    this.address = address;
    this.server = createServer((request, response) => {
      if (answerAdmin(admin, request, response)) return;
      if (request.url === '/account') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(readAccount())}\n`);
      } else response.writeHead(404).end();
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
