import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { close, httpServer, listen } from './http.ts';

let stop: () => Promise<void> = () => Promise.resolve();
afterEach(() => stop());

const broken = {
  'one that throws at once': () => {
    throw new Error('too early');
  },
  'one that rejects': () => Promise.reject(new Error('too late')),
} as const;

test.each(Object.entries(broken))(
  'a handler that fails, %s, costs its request and not the process',
  async (_, handle) => {
    const server = httpServer(handle, (error) => ({ status: 503, type: 'text/plain', body: (error as Error).message }));
    stop = () => close(server, 100);
    await listen(server, '127.0.0.1', 0);
    const { port } = server.address() as AddressInfo;
    for (let i = 0; i < 2; i++) expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  },
);
