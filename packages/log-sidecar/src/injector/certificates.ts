import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type Clock, iso, type Logger, type Part, sha256 } from '@fairway/core';

export type Pair = { readonly cert: string; readonly key: string; readonly expiresAt: number };

export type CertificateFiles = {
  readonly cert: string;
  readonly key: string;
  /** Files are looked at so often, whatever the watch says. */
  readonly everyMs: number;
};

export type Rim = {
  readonly clock: Clock;
  readonly log: Logger;
  /** A pair that can be used came, or a new one cannot be used and the old one stays. */
  readonly told: (result: 'used' | 'kept') => void;
};

export type Certificates = Part & {
  /** The one in use; undefined until a first one can be used. */
  readonly pair: Pair | undefined;
  /** Why no pair can be relied on now, for a person; undefined while one can. */
  trouble(): string | undefined;
  /** Called with each new pair. */
  onPair(use: (pair: Pair) => void): void;
};

/** Secrets change by renames in the folder, cert and key one after the other as seen by a reader: look when it is quiet. */
const QUIET_MS = 200;

/**
 * The pair of two files, kept current. A pair that cannot be used is told once, and the one before stays in use. Without a first one the
 * process goes on as well: ending would only begin again and again, and whoever issues certificates may be a minute late.
 */
export function certificates(files: CertificateFiles, rim: Rim): Certificates {
  let pair: Pair | undefined;
  let seen = '';
  let problem: string | undefined;
  const users: ((pair: Pair) => void)[] = [];
  const look = async (): Promise<void> => {
    const found = await read(files, rim.clock.now());
    if (found.fingerprint === seen) return;
    seen = found.fingerprint;
    problem = 'problem' in found ? found.problem : undefined;
    if ('problem' in found) {
      const instead = pair === undefined ? 'pods start without their agent until one can' : 'the old one stays';
      rim.log.warn({ problem }, `certificate cannot be used, ${instead}`);
      return rim.told('kept');
    }
    ({ pair } = found);
    for (const use of users) use(pair);
    rim.log.info({ expires: iso(pair.expiresAt) }, 'certificate in use');
    rim.told('used');
  };
  const watching = watcher(files, () => void look().catch(() => {}));
  return {
    name: 'certificates',
    get pair() {
      return pair;
    },
    onPair: (use) => void users.push(use),
    trouble: () => {
      if (pair === undefined) return `no certificate can be used: ${problem ?? 'none was looked at yet'}`;
      return rim.clock.now() < pair.expiresAt ? undefined : 'the certificate has expired, and no other one has come';
    },
    start: async () => {
      await look();
      watching.start();
    },
    stop: () => watching.stop(),
  };
}

function watcher({ cert, key, everyMs }: CertificateFiles, look: () => void) {
  let watches: FSWatcher[] = [];
  let interval: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(soon);
    soon = setTimeout(look, QUIET_MS).unref();
  };
  return {
    start: () => {
      interval = setInterval(look, everyMs).unref();
      // Folders, not files: a mounted Secret is exchanged by a rename of what its links go through.
      watches = [...new Set([dirname(cert), dirname(key)])].flatMap((folder) => watchOf(folder, changed));
    },
    stop: () => {
      clearInterval(interval);
      clearTimeout(soon);
      for (const each of watches) each.close();
    },
  };
}

/** Where folders cannot be watched, the interval has to do. */
function watchOf(folder: string, changed: () => void): FSWatcher[] {
  try {
    const made = watch(folder, { persistent: false }, changed);
    made.on('error', () => made.close());
    return [made];
  } catch {
    return [];
  }
}

type Found = { readonly fingerprint: string } & ({ readonly pair: Pair } | { readonly problem: string });

async function read({ cert, key }: CertificateFiles, now: number): Promise<Found> {
  let texts: readonly [string, string];
  try {
    texts = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { fingerprint: `unreadable ${code}`, problem: `${cert} and ${key} cannot be read (${code})` };
  }
  const fingerprint = sha256(texts.join('\0'));
  const result = checkPair(...texts, now);
  // One that is only too early is looked at again until its time has come.
  return typeof result === 'string'
    ? { fingerprint: `${fingerprint} ${result}`, problem: result }
    : { fingerprint, pair: result };
}

function checkPair(cert: string, key: string, now: number): Pair | string {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'The key does not belong to the certificate';
    const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    if (now >= until) return `The certificate has expired (${iso(until)})`;
    if (now < from) return `The certificate is not valid before ${iso(from)}`;
    createSecureContext({ cert, key });
    return { cert, key, expiresAt: until };
  } catch {
    return 'Certificate and key are not a pair of PEM files that TLS can use';
  }
}
