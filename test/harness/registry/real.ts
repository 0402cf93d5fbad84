import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../ports.ts';

/** A program on PATH, or undefined. */
export const program = (name: string): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));

export type RealRegistry = { readonly host: string; stop(): Promise<void> };

/** The registry of CNCF Distribution (`docker-registry`), in a folder of its own on loopback. */
export async function startRealRegistry(binary: string, http: object = {}): Promise<RealRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway registry '));
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'store') } },
    http: { addr: host, secret: 'of the tests', ...http },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  const child = spawn(binary, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  await untilItAnswers(child, `http://${host}/v2/`);
  const stop = async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  return { host, stop };
}

async function untilItAnswers(child: ChildProcess, url: string): Promise<void> {
  for (let turn = 0; turn < 600; turn += 1) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const isUp = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('docker-registry does not answer');
}

/** What `skopeo` prints; its standard error is part of what is thrown. */
export const skopeo = (binary: string, args: readonly string[]): string =>
  execFileSync(binary, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
