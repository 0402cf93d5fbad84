import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, isFree } from './ports.ts';

const SECRETS = [
  'database',
  'redis',
  'kube',
  'writer',
  'writerForRecorder',
  'writerForMonitor',
  'monitor',
  'bot',
  'person',
  'argocd',
  'webhook',
  'cards',
] as const;
const PORTS = ['database', 'redis', 'forge', 'kube', 'writer', 'recorder', 'monitor', 'cards'] as const;

export type Secrets = Readonly<Record<(typeof SECRETS)[number], string>>;
export type Ports = Readonly<Record<(typeof PORTS)[number], number>>;

/**
 * The stack's own secrets: random, made once per folder, kept in a file that only its owner reads. A folder of an earlier
 * version keeps those it has.
 */
export function loadSecrets(dir: string): Secrets {
  const file = join(dir, 'secrets.json');
  const before = once(file, () => ({})) as Partial<Secrets>;
  const missing = SECRETS.filter((name) => before[name] === undefined);
  if (missing.length === 0) return before as Secrets;
  const made = Object.fromEntries(missing.map((name) => [name, randomBytes(20).toString('hex')]));
  const secrets = { ...before, ...made };
  writeFileSync(file, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  return secrets as Secrets;
}

/**
 * The ports of the folder's last start where they are still free, so that links stay good; else free ones. They are
 * remembered for the next start.
 */
export async function findPorts(dir: string, dashboard?: number): Promise<Ports> {
  const file = join(dir, 'ports.json');
  const before = once(file, () => ({})) as Partial<Ports>;
  const free = await freePorts(PORTS.length);
  const chosen = PORTS.map(async (name, i): Promise<[string, number]> => {
    const last = before[name];
    return [name, last !== undefined && (await isFree(last)) ? last : (free[i] as number)];
  });
  const ports = { ...Object.fromEntries(await Promise.all(chosen)), ...(dashboard && { monitor: dashboard }) } as Ports;
  writeFileSync(file, `${JSON.stringify(ports)}\n`);
  return ports;
}

function once(file: string, make: () => object): object {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as object;
  const made = make();
  writeFileSync(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}
