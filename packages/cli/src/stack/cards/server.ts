import { answerAdmin, type Clock, iso, type Logger, type Part } from '@fairway/core';
import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, Server } from 'node:http';
import { join } from 'node:path';
import { counters } from '../web/counters.ts';
import { close, httpServer, json, listen, page, readBody, refuse, statusOf, writeReply } from '../web/http.ts';
import { type Call, findRoute, type Reply, type Route } from '../web/router.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { cardsPage } from './page.ts';
import { checkMessage } from './validate.ts';

export type CardsOptions = {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** The secret in the URL, as Teams Workflows has it. */
  readonly sig: string;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Beyond this the trigger itself says 413; what the flow loses after its 202 is far smaller. */
const BODY_LIMIT = 262_144;

/** The Teams stand-in: takes what a workflow's trigger takes, and keeps what it would have done with it. */
export function cardsServer(options: CardsOptions): Part & { readonly port: number } {
  let server: Server | undefined;
  let port = 0;
  return {
    name: 'cards',
    start: async () => {
      await mkdir(options.dataDir, { recursive: true });
      server = cardsHttp(options, openLedger(join(options.dataDir, 'cards.jsonl')));
      port = await listen(server, options.host, options.port);
      options.log.info({ port }, 'cards listening');
    },
    stop: async () => {
      if (server) await close(server, 2_000);
    },
    get port() {
      return port;
    },
  };
}

function cardsHttp({ sig, clock, log }: CardsOptions, ledger: Ledger): Server {
  const count = counters();
  const admin = {
    ready: () => undefined,
    metrics: () => Promise.resolve(count.expose({ cards_kept: ledger.all().length })),
  };
  const routes: Route[] = [
    {
      method: 'POST',
      path: '/workflows/:id/triggers/manual/paths/invoke',
      answer: async (call) => {
        if (!isSame(call.query.get('sig') ?? '', sig))
          refuse(401, 'The signature of the URL is not the one of this workflow.');
        const problems = await receive(call, ledger, iso(clock.now()));
        count.add('cards_received_total', { valid: String(problems === 0) });
        return { status: 202 };
      },
    },
    { method: 'GET', path: '/cards', answer: () => json(200, { cards: ledger.all() }) },
    { method: 'GET', path: '/', answer: () => page(200, cardsPage(ledger.all())) },
  ];
  return httpServer(
    async (request, response) => {
      if (answerAdmin(admin, request, response)) return;
      writeReply(response, await route(routes, request));
    },
    (error) => {
      const status = statusOf(error) ?? 500;
      if (status === 500) log.error({ reason: (error as Error).message }, 'request failed');
      return json(status, { error: { code: String(status), message: (error as Error).message } });
    },
  );
}

async function route(routes: readonly Route[], request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://cards');
  const found = findRoute(routes, request.method ?? 'GET', url.pathname);
  if (found === undefined) refuse(404, 'There is no such workflow or page.');
  if (found === 'method') return refuse(405, 'This method is not served here.');
  const body = () => readBody(request, BODY_LIMIT);
  return found.route.answer({ request, params: found.params, query: url.searchParams, body });
}

/** Keeps the card with its problems; answers how many. Only what is no JSON is refused, as the trigger does. */
async function receive(call: Call, ledger: Ledger, at: string): Promise<number> {
  const body = await call.body();
  let message: unknown;
  try {
    message = JSON.parse(body.toString('utf8'));
  } catch {
    refuse(400, 'The body is not JSON.');
  }
  const { card, problems } = checkMessage(message, body.length);
  await ledger.add({ at, card: card ?? null, problems });
  return problems.length;
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
