import { createServer } from 'node:http';

export type FakeChannel = {
  url: string;
  /** Cards as they came, repetitions too. */
  cards: Array<{ deliveryId: string; title: string }>;
  /** Answers for the next posts; 202 when empty. */
  answers: Array<{ status: number; retryAfter?: string }>;
  stop: () => Promise<void>;
};

type CardBody = {
  attachments: Array<{
    content: { body: Array<{ items?: Array<{ text: string }>; facts?: Array<{ title: string; value: string }> }> };
  }>;
};

/** A Teams workflow that takes Adaptive Cards and remembers them. */
export async function startFakeChannel(): Promise<FakeChannel> {
  const cards: FakeChannel['cards'] = [];
  const answers: FakeChannel['answers'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, retryAfter } = answers.shift() ?? { status: 202 };
      if (status === 202) cards.push(read(Buffer.concat(chunks).toString('utf8')));
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/workflows/secret?sig=test`, cards, answers, stop };
}

function read(text: string): FakeChannel['cards'][number] {
  const body = (JSON.parse(text) as CardBody).attachments[0]?.content.body ?? [];
  const facts = body.flatMap((element) => element.facts ?? []);
  return {
    deliveryId: facts.find(({ title }) => title === 'Delivery')?.value ?? '',
    title: body[0]?.items?.[0]?.text ?? '',
  };
}
