import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rightsOf as shippedRights } from '../../../packages/cli/src/commands/doctor-cluster/shipped.ts';
import { applicationCache } from '../../../packages/gitops-writer/src/cluster/applications.ts';
import { kubeConfig, kubernetesCluster } from '../../../packages/gitops-writer/src/cluster/kubernetes.ts';
import { ROOT } from '../../guards/source.ts';
import { type KubeObject, rendering } from '../../manifests/render.ts';

const ARGO = 'openshift-gitops';
const MODELS = 'home-equity-prod';
/** All that the adapter can be asked; the two of serving go to TensorFlow Serving, past the Kubernetes API. */
const QUESTIONS = 'application deployment job pods refresh servingSignature servingState syncWindows'.split(' ');

/** One verb on one resource in one namespace; `*`: in all. */
type Right = { readonly namespace: string; readonly group: string; readonly resource: string; readonly verb: string };

const words = ({ verb, resource, group, namespace }: Right) =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`} in ${namespace}`;

/** As doctor asks a cluster for them. */
const rightsOf = (objects: readonly KubeObject[], account: string): Right[] =>
  shippedRights(objects, account).map((right) => ({ ...right, namespace: right.namespace ?? '*' }));

/** What a request of the Kubernetes API needs, as its authorizer derives it from method and path. */
function needed(method: string, url: string): Right {
  const { pathname, searchParams } = new URL(url, 'http://kubernetes');
  const match = /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(pathname);
  if (match === null) throw new Error(`${method} ${pathname} is no request for a namespaced resource`);
  const [, group = '', namespace = '', resource = '', name] = match;
  const reading = name === undefined ? (searchParams.get('watch') === 'true' ? 'watch' : 'list') : 'get';
  const verb = method === 'GET' ? reading : method.toLowerCase();
  return { namespace, group, resource, verb };
}

const allows = (right: Right, wanted: Right): boolean =>
  (right.namespace === '*' || right.namespace === wanted.namespace) &&
  right.group === wanted.group &&
  right.resource === wanted.resource &&
  right.verb === wanted.verb;

describe('the rights of the writer', () => {
  const objects = rendering('manifests/install/overlays/openshift').objects;
  const granted = rightsOf(objects, 'fairway-writer');
  let server: Server;
  let folder: string;
  let file: string;
  let rights: readonly Right[] = granted;
  let asked: Right[] = [];
  let refused: string[] = [];

  beforeAll(async () => {
    server = createServer(({ method = '', url = '' }, response) => {
      const wanted = needed(method, url);
      asked.push(wanted);
      const allowed = rights.some((right) => allows(right, wanted));
      if (!allowed) refused.push(words(wanted));
      response.setHeader('content-type', 'application/json');
      if (!allowed) response.writeHead(403).end('{"kind":"Status","apiVersion":"v1","code":403}');
      else if (wanted.verb === 'list') response.end('{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}');
      // A watch that tells nothing, and lasts until the client goes.
      else if (wanted.verb === 'watch') response.flushHeaders();
      else response.writeHead(404).end('{"kind":"Status","apiVersion":"v1","code":404}');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    folder = mkdtempSync(join(tmpdir(), 'fairway-rbac-'));
    file = join(folder, 'kubeconfig');
    const { port } = server.address() as AddressInfo;
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Everything that the writer's cluster adapter can be asked, with these rights; answers what was refused. */
  async function useAll(with_: readonly Right[]): Promise<string[]> {
    [rights, asked, refused] = [with_, [], []];
    const config = kubeConfig(file);
    const cache = applicationCache(config, ARGO, systemClock, silentLogger);
    const cluster = kubernetesCluster(config, ARGO, cache);
    expect(Object.keys(cluster).sort(), 'a new question needs a call below').toEqual(QUESTIONS);
    await cache.start();
    try {
      const calls = [
        () => cluster.application('home-equity-prod', 'now'),
        () => cluster.refresh('home-equity-prod', '2026-11-22T00:00:00Z'),
        () => cluster.syncWindows('fairway'),
        () => cluster.deployment(MODELS, 'home-equity'),
        () => cluster.pods(MODELS, { 'app.kubernetes.io/name': 'home-equity' }),
        () => cluster.job('home-equity-retrain', 'retrain-1'),
      ];
      for (const call of calls) await Promise.resolve(call()).catch(() => {});
      // Without the right to list there is no watch to wait for.
      const last = with_.some(({ resource, verb }) => resource === 'applications' && verb === 'list')
        ? 'watch'
        : 'list';
      const watched = () => asked.some(({ resource, verb }) => resource === 'applications' && verb === last);
      await vi.waitFor(() => expect(watched()).toBe(true), { timeout: 60_000 });
    } finally {
      await cache.stop();
    }
    return [...new Set(refused)];
  }

  it('are enough for everything that it does', async () => {
    expect(await useAll(granted)).toEqual([]);
  });

  it.each(granted.map((right) => [words(right), right] as const))('need %s', async (_, right) => {
    const told = await useAll(granted.filter((one) => one !== right));
    const [verb, resource] = [right.verb, right.resource];
    expect(told.length).toBeGreaterThan(0);
    for (const one of told) expect(one).toMatch(new RegExp(`^${verb} ${resource}\\b`));
  });

  it('have their reason beside each verb', () => {
    const text = readFileSync(join(ROOT, 'manifests/install/services/writer/rbac.yaml'), 'utf8');
    const verbs = text.match(/^ {6}- \w+.*$/gm) ?? [];
    expect(verbs).toHaveLength(granted.length);
    for (const verb of verbs) expect(verb).toMatch(/^ {6}- (get|list|watch|patch) # \S+ \S+/);
  });

  it('are nowhere a star, and nothing that writes but the refresh', () => {
    const all = granted.map(words);
    expect(all.filter((right) => /\*\./.test(right) || right.startsWith('*'))).toEqual([]);
    const writes = granted.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
    expect(writes.map(words)).toEqual([`patch applications.argoproj.io in ${ARGO}`]);
  });

  it.each(['recorder', 'monitor', 'injector'])('are none for the %s', (service) => {
    expect(rightsOf(objects, `fairway-${service}`)).toEqual([]);
  });

  it('come with a token for the writer and the injector alone', () => {
    const tokens = objects
      .filter(({ kind }) => kind === 'Deployment')
      .filter((object) => {
        const { template } = object['spec'] as { template: { spec: { automountServiceAccountToken: boolean } } };
        return template.spec.automountServiceAccountToken;
      });
    expect(tokens.map(({ metadata }) => metadata.name).sort()).toEqual(['fairway-injector', 'fairway-writer']);
  });
});
