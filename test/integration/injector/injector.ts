import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Identity, loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { freePort } from '../../harness/ports.ts';
import { eventually } from '../agent/agent.ts';

const MAIN = fileURLToPath(new URL('../../../packages/log-sidecar/src/injector-main.ts', import.meta.url));

/** A folder as the kubelet mounts a Secret: the files are links through `..data`, which a rename exchanges as a whole. */
export function secretFolder() {
  const root = mkdtempSync(join(tmpdir(), 'fairway-injector-'));
  const mount = join(root, 'tls');
  mkdirSync(mount);
  let version = 0;
  const identities = { count: 0 };
  return {
    root,
    cert: join(mount, 'tls.crt'),
    key: join(mount, 'tls.key'),
    /** A new identity, valid for ten years from the day before `now`. */
    identity: (now = Date.now()): Identity =>
      loadIdentity(join(root, `identity-${++identities.count}`), ['127.0.0.1', 'localhost'], now),
    put: ({ certificate, key }: Identity) => {
      const data = `..v${++version}`;
      mkdirSync(join(mount, data));
      writeFileSync(join(mount, data, 'tls.crt'), certificate);
      writeFileSync(join(mount, data, 'tls.key'), key);
      symlinkSync(data, join(mount, '..new'));
      renameSync(join(mount, '..new'), join(mount, '..data'));
      if (version > 1) return;
      for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(mount, name));
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export type SecretFolder = ReturnType<typeof secretFolder>;

export type Injector = {
  readonly port: number;
  readonly admin: string;
  readonly child: ChildProcess;
  /** All that it has logged. */
  output(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
};

export const AGENT_IMAGE = `registry.example.com/fairway/agent@sha256:${'c'.repeat(64)}`;

/** A real injector process; `ready: false` does not wait for it. */
export async function startInjector(
  folder: SecretFolder,
  env: Readonly<Record<string, string>> = {},
  ready = true,
): Promise<Injector> {
  const [port, admin] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, await runnable(MAIN), {
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(admin),
      TLS_CERT_FILE: folder.cert,
      TLS_KEY_FILE: folder.key,
      AGENT_IMAGE,
      LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  const url = `http://127.0.0.1:${admin}`;
  if (ready) {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`the injector ended: ${output}`);
      return (await fetch(`${url}/readyz`)).status === 200;
    }, 60_000);
  }
  return {
    port,
    admin: url,
    child,
    output: () => output,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'close') as Promise<[number | null]>;
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
};

/** One request, trusting nothing but `ca`. */
export function call(options: RequestOptions, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', path: '/inject', method: 'POST', agent: false, ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** An AdmissionReview as an API server sends it. */
export const review = (object: unknown, changes: object = {}): string =>
  JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      namespace: 'home-equity-prod',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
      ...changes,
    },
  });
