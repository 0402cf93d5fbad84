import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type Answer, answerCall, type Asked } from './unary.ts';

export type GrpcServer = { readonly port: number; readonly asked: Asked[]; stop(): Promise<void> };

/** TensorFlow Serving's gRPC port as far as its protocol goes: HTTP/2 without TLS, answers by the test's own rule. */
export async function startGrpcServer(answer: (asked: Asked) => Answer): Promise<GrpcServer> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  const asked: Asked[] = [];
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    answerCall(stream, headers, (one) => {
      asked.push(one);
      return answer(one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
