import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { checkMessage } from '../../packages/cli/src/stack/cards/validate.ts';

/** How the next post is answered. `close`: by a closed connection. `hang`: never. */
type FakeAnswer =
  | { status: number; retryAfter?: string; body?: string; contentType?: string }
  | { without: 'close' | 'hang' };

export type FakeChannel = {
  url: string;
  /** Cards that the flow posted, as they came, repetitions too. */
  cards: Array<{ deliveryId: string; title: string }>;
  /** What was accepted by 202 and then lost in the flow, and why. */
  lost: string[][];
  /** Every request that came, whatever its answer. */
  requests: Array<{ body: string; headers: IncomingHttpHeaders }>;
  /** Answers for the next posts; 202 when empty. */
  answers: FakeAnswer[];
  stop: () => Promise<void>;
};

type CardBody = {
  attachments: Array<{
    content: { body: Array<{ items?: Array<{ text: string }>; facts?: Array<{ title: string; value: string }> }> };
  }>;
};

/** A Teams workflow that takes Adaptive Cards, checks them inside after its 202 as the real one does, and remembers them. */
export async function startFakeChannel(): Promise<FakeChannel> {
  const [cards, lost, requests, answers] = [[], [], [], []] as unknown as [
    FakeChannel['cards'],
    FakeChannel['lost'],
    FakeChannel['requests'],
    FakeChannel['answers'],
  ];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      requests.push({ body: body.toString('utf8'), headers: request.headers });
      const answer = answers.shift() ?? { status: 202 };
      if ('status' in answer && answer.status === 202) post(body);
      reply(response, answer);
    });
  });
  const post = (body: Buffer) => {
    const message = JSON.parse(body.toString('utf8')) as unknown;
    const { problems } = checkMessage(message, body.length);
    if (problems.length === 0) cards.push(read(message as CardBody));
    else lost.push([...problems]);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/workflows/secret?sig=test`, cards, lost, requests, answers, stop };
}

function reply(response: ServerResponse, answer: FakeAnswer): void {
  if (!('status' in answer)) {
    if (answer.without === 'close') response.destroy();
    return;
  }
  const { status, retryAfter, body, contentType } = answer;
  const headers = {
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
  };
  response.writeHead(status, headers).end(body);
}

function read(message: CardBody): FakeChannel['cards'][number] {
  const body = message.attachments[0]?.content.body ?? [];
  const facts = body.flatMap((element) => element.facts ?? []);
  return {
    deliveryId: facts.find(({ title }) => title === 'Delivery')?.value ?? '',
    title: body[0]?.items?.[0]?.text ?? '',
  };
}
