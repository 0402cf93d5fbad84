import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  performServerHandshake,
  type ServerHttp2Session,
  type SessionOptions,
} from 'node:http2';
import { Duplex } from 'node:stream';
import { type Answer, answerCall, type Asked } from './unary.ts';

/** Bytes of one side: the client's questions, the server's answers. */
export type Step = { readonly side: 'q' | 'a'; readonly bytes: Buffer };

/** What passed between node's own HTTP/2 client and server, in order, and what that server saw. */
export type Conversation = { readonly steps: readonly Step[]; readonly asked: readonly Asked[] };

export type Script = {
  readonly client?: SessionOptions;
  readonly server?: SessionOptions;
  readonly answer: (asked: Asked) => Answer;
  readonly run: (client: ClientHttp2Session, server: ServerHttp2Session) => Promise<unknown>;
};

/** Runs a script between node's client and server in memory, and writes down the bytes. */
export async function record({
  client: clientOptions,
  server: serverOptions,
  answer,
  run,
}: Script): Promise<Conversation> {
  const steps: Step[] = [];
  const asked: Asked[] = [];
  const [near, far] = pair(steps);
  const server = performServerHandshake(far, serverOptions);
  server.on('error', () => {});
  server.on('stream', (stream, headers) => {
    answerCall(stream, headers, (one) => {
      asked.push(one);
      return answer(one);
    });
  });
  const client = connect('http://model', { ...clientOptions, createConnection: () => near });
  client.on('error', () => {});
  const closed = once(client, 'close');
  await run(client, server);
  client.close();
  await closed;
  server.destroy();
  return { steps, asked };
}

/** Two ends of one connection; what goes in at one comes out at the other and is written down. */
function pair(steps: Step[]): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (side: Step['side'], other: number) =>
    new Duplex({
      read: () => {},
      write: (bytes: Buffer, _, done) => {
        steps.push({ side, bytes: Buffer.from(bytes) });
        ends[other]?.push(Buffer.from(bytes));
        done();
      },
      final: (done) => {
        ends[other]?.push(null);
        done();
      },
    });
  const [near, far] = [end('q', 1), end('a', 0)];
  ends.push(near, far);
  return [near, far];
}
