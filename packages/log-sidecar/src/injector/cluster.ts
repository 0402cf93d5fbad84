import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import type { Logger, Part } from '@fairway/core';
import { parseVersion, type Version } from './version.ts';

export type ClusterApi = {
  readonly host: string;
  readonly port: number;
  /** Folder with `token` and `ca.crt`. */
  readonly account: string;
};

const ANSWER_MS = 5000;
const MOST_BYTES = 64 * 1024;
/** Clusters are upgraded while we run. */
const AGAIN_MS = 10 * 60_000;
const AFTER_FAILURE_MS = 15_000;

/** The version of the cluster: as set, or as its API says, asked at start (once, so that nothing waits for it) and again later. */
export function clusterVersion(
  set: Version | undefined,
  api: ClusterApi | undefined,
  log: Logger,
): Part & { readonly version: Version | undefined } {
  let version = set;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const ask = async (from: ClusterApi): Promise<void> => {
    let pause = AGAIN_MS;
    try {
      const found = await askVersion(from);
      if (found.minor !== version?.minor)
        log.info({ version: `${found.major}.${found.minor}` }, 'version of the cluster');
      version = found;
    } catch (error) {
      pause = AFTER_FAILURE_MS;
      log.warn({ reason: (error as Error).message, known: version !== undefined }, 'cluster does not say its version');
    }
    if (!stopped) timer = setTimeout(() => void ask(from), pause).unref();
  };
  return {
    name: 'cluster version',
    get version() {
      return version;
    },
    start: async () => {
      if (set !== undefined) return;
      if (api === undefined) log.warn({}, 'not in a cluster and no KUBERNETES_VERSION: agents become plain containers');
      else await ask(api);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function askVersion({ host, port, account }: ClusterApi): Promise<Version> {
  // Read anew each time: the token is rotated.
  const [token, ca] = await Promise.all([readFile(join(account, 'token'), 'utf8'), readFile(join(account, 'ca.crt'))]);
  const text = await fetchText({ host, port, ca, token: token.trim() });
  const version = parseVersion(JSON.parse(text));
  if (version === undefined) throw new Error('the answer of /version names no version');
  return version;
}

type Call = { readonly host: string; readonly port: number; readonly ca: Buffer; readonly token: string };

function fetchText({ host, port, ca, token }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const request = get({ host, port, ca, path: '/version', headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) request.destroy(new Error('the answer of /version is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`/version answered ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}
