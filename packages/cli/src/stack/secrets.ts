import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './ports.ts';

const SECRETS = [
  'database',
  'redis',
  'kube',
  'writer',
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

/** The stack's own secrets: random, made once per folder, kept in a file that only its owner reads. */
export function loadSecrets(dir: string): Secrets {
  return once(join(dir, 'secrets.json'), () =>
    Object.fromEntries(SECRETS.map((name) => [name, randomBytes(20).toString('hex')])),
  ) as Secrets;
}

/** Free ports, found anew at each start: a port of last time may be somebody else's today. */
export async function findPorts(dashboard?: number): Promise<Ports> {
  const found = await freePorts(PORTS.length);
  const ports = Object.fromEntries(PORTS.map((name, i) => [name, found[i]])) as Record<keyof Ports, number>;
  return dashboard === undefined ? ports : { ...ports, monitor: dashboard };
}

function once(file: string, make: () => object): object {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as object;
  const made = make();
  writeFileSync(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}
