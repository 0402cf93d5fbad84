import type { Server } from 'node:net';
import { FairwayError } from '@fairway/core';
import type { Address } from './ports.ts';

/** Resolves when the server listens; otherwise `port.taken` or `config.invalid` in a sentence. */
export function listen(server: Server, address: Address): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error) => reject(cannotListen(address, cause));
    server.once('error', refuse);
    server.listen(address.port, address.host, () => {
      server.off('error', refuse);
      // Later errors are of single connections (too many open files): they must not end the process.
      server.on('error', () => {});
      resolve();
    });
  });
}

function cannotListen({ host, port }: Address, cause: Error): FairwayError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  if (code === 'EADDRINUSE') {
    const sentence = `Port ${port} on ${host} is taken: stop what listens there or choose another port.`;
    return new FairwayError('port.taken', sentence, { cause });
  }
  return new FairwayError('config.invalid', `Cannot listen on ${host}:${port} (${code}): check host and port.`, {
    cause,
  });
}
