import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { kubeCaller } from './caller.ts';

it.each(['', '/', '/k8s/clusters/c-1'])('asks a server that the kubeconfig puts at path "%s"', async (base) => {
  const asked: Array<string | undefined> = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"major":"1"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'fairway-kubeconfig-'));
  try {
    const file = join(folder, 'config');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;
    writeFileSync(file, JSON.stringify(kubeconfig(url)));
    vi.stubEnv('KUBECONFIG', file);
    const caller = await kubeCaller();
    expect(await caller.call('/version?timeout=1s')).toMatchObject({ status: 200, body: { major: '1' } });
    expect(asked).toEqual([`${base.replace(/\/$/, '')}/version?timeout=1s`]);
  } finally {
    vi.unstubAllEnvs();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** In a pod there always is one. */
const inPod = existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token');
it.skipIf(inPod)('says that there is no kubeconfig, where there is none', async () => {
  const home = mkdtempSync(join(tmpdir(), 'fairway-home-'));
  try {
    vi.stubEnv('KUBECONFIG', undefined);
    vi.stubEnv('HOME', home);
    await expect(kubeCaller()).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'The kubeconfig is not there: name a usable one by KUBECONFIG, or a context by --context.',
    });
  } finally {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  }
});

const kubeconfig = (server: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'c', user: {} }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
});
