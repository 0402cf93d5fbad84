import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

export type WorkflowCall = {
  readonly path: string;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly key: string | undefined;
  /** Whether the signature is that of the documented words, by the workflow's own reckoning. */
  readonly signed: boolean;
};

/** The workflow system behind an approval: takes answers, and says what a test tells it to. */
export async function startWorkflow(secret: string) {
  const calls: WorkflowCall[] = [];
  /** Statuses for the next calls; 204 when empty. */
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    void read(request, secret).then((call) => {
      calls.push(call);
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, calls, statuses, stop };
}

async function read(request: IncomingMessage, secret: string): Promise<WorkflowCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { method = '', url = '', headers } = request;
  const hash = createHash('sha256').update(body).digest('hex');
  const words = [method, url, headers['x-fairway-timestamp'], headers['x-fairway-nonce'], hash].join('\n');
  const signature = `v1=${createHmac('sha256', secret).update(words).digest('hex')}`;
  return {
    path: url,
    answer: JSON.parse(body.toString('utf8')) as WorkflowCall['answer'],
    key: headers['idempotency-key'] as string | undefined,
    signed: headers['x-fairway-signature'] === signature,
  };
}
