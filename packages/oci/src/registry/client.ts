import { type Clock, FairwayError, systemClock } from '@fairway/core';
import { type Remote, type RemoteAnswer, type RemoteBytes, type RemoteCall, remote } from '@fairway/remote';
import { type ImageName, isLoopback } from '../names.ts';
import type { Credentials } from './credentials.ts';
import { type Access, type Tokens, tokens } from './tokens.ts';

export type RegistryOptions = {
  /** Registries that are spoken to without TLS: `true` those on this machine, or the hosts by name. */
  readonly plainHttp?: boolean | readonly string[];
  /** PEM file of certificate authorities that are trusted instead of the system ones. */
  readonly caFile?: string | undefined;
  readonly credentials?: Credentials;
  /** What names the registry, for sentences; by default `IMAGE_REPOSITORY`. */
  readonly setting?: string;
  readonly clock?: Clock;
  /** Bytes of one piece of an upload; twice as much is in memory. */
  readonly chunkBytes?: number;
  /** First pause before an upload goes on after a drop, ms; it grows. */
  readonly pauseMs?: number;
};

/** The distribution API of any registry, by the host in an image's name. */
export type Client = {
  /** As sentences name the registry. */
  place(at: ImageName): string;
  /** Address of what `rest` (`/blobs/…`) names in a repository. */
  urlOf(at: ImageName, rest: string): string;
  call(access: Access, method: string, url: string, call?: RemoteCall): Promise<RemoteAnswer>;
  download(access: Access, url: string): Promise<RemoteBytes>;
  close(): void;
};
type Registry = { readonly server: Remote; readonly tokens: Tokens; readonly base: string };

/** Docker Hub's API answers elsewhere than its images are named. */
const HUB_API = 'registry-1.docker.io';

export function client(options: RegistryOptions): Client {
  const known = new Map<string, Registry>();
  const of = ({ host }: ImageName): Registry => {
    const registry = known.get(host) ?? open(host, options);
    known.set(host, registry);
    return registry;
  };
  return {
    place: ({ host }) => `The image registry ${host} (${settingOf(options)})`,
    urlOf: (at, rest) => `${of(at).base}/v2/${at.path}${rest}`,
    call: async (access, method, url, call = {}) => {
      const { server, tokens: proofs } = of(access.at);
      return authorized(proofs, access, (headers) =>
        server.call(method, url, { ...call, headers: { ...call.headers, ...headers } }),
      );
    },
    download: async (access, url) => {
      const { server, tokens: proofs } = of(access.at);
      return authorized(
        proofs,
        access,
        (headers) => server.download(url, { headers }),
        ({ body }) => body.destroy(),
      );
    },
    close: () => {
      for (const { server } of known.values()) server.close();
    },
  };
}

const settingOf = ({ setting = 'IMAGE_REPOSITORY' }: RegistryOptions): string => setting;

function open(host: string, options: RegistryOptions): Registry {
  const isPlain = speaksPlain(host, options);
  const base = `${isPlain ? 'http' : 'https'}://${host === 'docker.io' ? HUB_API : host}`;
  const setting = settingOf(options);
  const { caFile, credentials = () => Promise.resolve(undefined), clock = systemClock } = options;
  const proofs = tokens({ host, isSecure: !isPlain, credentials, clock, caFile, setting });
  const server = remote({ base, name: 'The image registry', setting, caFile, secrets: () => proofs.secrets() });
  return { server, tokens: proofs, base };
}

function speaksPlain(host: string, { plainHttp = false }: RegistryOptions): boolean {
  return plainHttp === true ? isLoopback(host) : plainHttp !== false && plainHttp.includes(host);
}

async function authorized<T extends Pick<RemoteAnswer, 'status' | 'headers'>>(
  proofs: Tokens,
  access: Access,
  send: (headers: Record<string, string>) => Promise<T>,
  discard: (answer: T) => void = () => undefined,
): Promise<T> {
  const used = await proofs.header(access);
  const answer = await send(used === undefined ? {} : { authorization: used });
  if (answer.status !== 401) return answer;
  const fresh = await proofs.renewed(access, answer, used);
  if (fresh === undefined) return answer;
  discard(answer);
  return send({ authorization: fresh });
}

export const isUnavailable = (error: unknown): boolean =>
  error instanceof FairwayError && error.code === 'registry.unavailable';
