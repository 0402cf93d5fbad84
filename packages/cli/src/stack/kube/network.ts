import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';

/** A claimed network 127.x.y.0/24: pods have 2–199, Services 200–253, and .254 holds the claim. */
export type Network = {
  contains(address: string): boolean;
  /** A free address for a pod, after the last one given, so that a dead pod's address is not reused at once. */
  podAddress(taken: ReadonlySet<string>): string;
  serviceAddress(taken: ReadonlySet<string>): string;
  close(): void;
};

/** Whoever listens here on x.y.254 owns the network: a claim that dies with its process, also on kill -9. */
const CLAIM_PORT = 20_254;
const PODS = { first: 2, last: 199 } as const;
const SERVICES = { first: 200, last: 253 } as const;

/** Claims the network of last time, or else a random one that no other stack holds. */
export async function claimNetwork(dataDir: string): Promise<Network> {
  const file = join(dataDir, 'network.json');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const last = readLast(file);
  for (let tries = 0; tries < 60; tries++) {
    const prefix = tries === 0 && last !== undefined ? last : `127.${randomInt(1, 255)}.${randomInt(0, 256)}`;
    const claim = await tryClaim(`${prefix}.254`);
    if (!claim) continue;
    writeFileSync(file, JSON.stringify({ prefix }));
    return networkOf(prefix, claim);
  }
  throw new FairwayError(
    'machine.unfit',
    'No free loopback network 127.x.y.0/24 was found: stop other Fairway stacks of this machine.',
  );
}

function readLast(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { prefix: string }).prefix;
  } catch {
    return undefined;
  }
}

async function tryClaim(host: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(CLAIM_PORT, host, resolve));
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    const mend =
      'the embedded cluster gives each pod an address below 127.0.0.0/8, which Linux allows without further setup';
    throw new FairwayError('machine.unfit', `The loopback address ${host} cannot be used: ${mend}.`, { cause: error });
  }
}

function networkOf(prefix: string, claim: Server): Network {
  let pod: number = PODS.last;
  let service: number = SERVICES.last;
  const pick = (range: { first: number; last: number }, after: number, taken: ReadonlySet<string>): number => {
    const size = range.last - range.first + 1;
    for (let step = 1; step <= size; step++) {
      const host = range.first + ((after - range.first + step) % size);
      if (!taken.has(`${prefix}.${host}`)) return host;
    }
    throw new FairwayError(
      'machine.unfit',
      `All ${size} addresses of the embedded cluster are in use: remove some pods or Services.`,
    );
  };
  return {
    contains: (address) => address.startsWith(`${prefix}.`),
    podAddress: (taken) => `${prefix}.${(pod = pick(PODS, pod, taken))}`,
    serviceAddress: (taken) => `${prefix}.${(service = pick(SERVICES, service, taken))}`,
    close: () => void claim.close(),
  };
}
