import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { silentLogger, systemClock } from '@fairway/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { applicationCache } from '../../../packages/gitops-writer/src/cluster/applications.ts';
import { kubernetesCluster } from '../../../packages/gitops-writer/src/cluster/kubernetes.ts';
import { ROOT } from '../../guards/source.ts';
import { ARGO_CD, ARGO_CD_OPERATOR, OPENSHIFT, OTHERS, PROMETHEUS_OPERATOR } from '../../harness/kube-definitions.ts';
import { eventually } from '../../integration/kube/cluster.ts';
import { applyAll, unexplained } from '../../manifests/cluster.ts';
import { type KubeObject, objectsOf, rendering, shippedOverlays } from '../../manifests/render.ts';
import { apply, type Body, call, define, freshName, refusal, type World } from './world.ts';

const GOLDEN = join(ROOT, 'test/golden/writer');
const variants = readdirSync(join(GOLDEN, 'variants'));
const ARGO = 'openshift-gitops';
const RECONCILED = '2020-01-01T00:00:00Z';

/** What we ship, applied to a server; then the writer's own eyes on it, with the rights that were applied and no others. */
export function installCases(world: () => World): void {
  const namespace = (name: string) =>
    apply(world(), '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as never);
  beforeAll(async () => {
    await define(world(), [...ARGO_CD, ...ARGO_CD_OPERATOR, ...OPENSHIFT, ...PROMETHEUS_OPERATOR, ...OTHERS]);
    for (const name of ['fairway', ARGO, 'argocd', 'golden']) await namespace(name);
  });

  describe('what we ship', () => {
    it.each(shippedOverlays())(
      '%s is taken without error or warning, and applied again nothing changes',
      async (folder) => {
        const objects = apart(rendering(folder).objects, freshName('fairway'));
        const first = await applyAll(world(), objects);
        expect(await unexplained(world(), first.problems)).toEqual([]);
        expect(first.done.length + first.problems.length).toBe(objects.length);
        // Kubernetes 1.20 writes a new claim a second time, with nothing new in it.
        const second = await applyAll(world(), objects);
        const third = await applyAll(world(), objects);
        const said = ({ done }: typeof first) => done.map(({ body }) => whatIsSaid(body));
        expect(said(third)).toEqual(said(second));
      },
    );
    it.each(['deploy', 'retrain', ...variants.map((name) => `variants/${name}`)])(
      'a model as %s is taken',
      async (name) => {
        const objects = objectsBelow(join(GOLDEN, name));
        expect(objects.length).toBeGreaterThan(1);
        const { done, problems } = await applyAll(world(), objects, 'golden');
        expect(await unexplained(world(), problems)).toEqual([]);
        expect(done.length).toBeGreaterThan(0);
      },
    );
  });

  describe('the writer', () => {
    it('sees Applications, workloads and windows with the token of its service account, and may nothing else', async () => {
      await applyAll(world(), rendering('manifests/install/overlays/openshift').objects);
      const { token } = (
        await call(world(), 'POST', '/api/v1/namespaces/fairway/serviceaccounts/fairway-writer/token', {
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
        })
      ).body['status'] as { token: string };
      const config = as(world().config, token);
      const applications = `/apis/argoproj.io/v1alpha1/namespaces/${ARGO}/applications`;
      const app = (name: string) => ({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name },
        spec: {
          project: 'fairway',
          source: { repoURL: 'https://git.example.com/x.git', path: name },
          destination: { namespace: 'golden' },
        },
        status: {
          sync: { status: 'Synced', revision: 'a'.repeat(40) },
          health: { status: 'Healthy' },
          reconciledAt: RECONCILED,
        },
      });
      await apply(world(), applications, app('seen'));
      const cache = applicationCache(config, ARGO, systemClock, silentLogger);
      const told: string[] = [];
      cache.onChange((name) => told.push(name));
      await cache.start();
      try {
        await eventually('the watch is open', () => cache.look('seen') !== 'unknown');
        expect(cache.look('seen')).toMatchObject({
          name: 'seen',
          project: 'fairway',
          destination: { namespace: 'golden' },
        });
        await apply(world(), applications, app('later'));
        await eventually('the new one is told', () => told.includes('later'));
        const cluster = kubernetesCluster(config, ARGO, cache);
        expect(await cluster.application('nobody', 'now')).toBeUndefined();
        await cluster.refresh('seen', '2026-11-22T00:00:00Z');
        // Where Argo CD runs it has compared by now, and taken the annotation off again.
        const { metadata, status } = (await call(world(), 'GET', `${applications}/seen`)).body as Body & {
          status: { reconciledAt: string };
        };
        const asked = (metadata['annotations'] as Record<string, string> | undefined)?.['argocd.argoproj.io/refresh'];
        expect(asked === 'normal' || status.reconciledAt > RECONCILED).toBe(true);
        expect(await cluster.syncWindows('fairway')).toBeDefined();
        const deployment = await cluster.deployment('fairway', 'fairway-writer');
        expect(deployment).toBeDefined();
        expect(await cluster.pods('golden', { app: 'x' })).toEqual([]);
        expect(await cluster.job('golden', 'nobody')).toBeUndefined();
        await call(world(), 'DELETE', `${applications}/later`);
        await eventually('the deletion is told', () => cache.look('later') === undefined);
      } finally {
        await cache.stop();
      }
      for (const path of [
        '/api/v1/namespaces/fairway/secrets',
        '/api/v1/namespaces/golden/configmaps',
        '/api/v1/namespaces',
      ])
        expect(refusal(await call(world(), 'GET', path, { token })), path).toMatchObject({ status: 403 });
    });
  });
}

/** What Argo CD would apply of a rendered folder; files of ours are no objects. */
const objectsBelow = (folder: string): KubeObject[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => objectsOf(readFileSync(join(folder, file), 'utf8')))
    .filter(
      ({ apiVersion, kind }) =>
        kind !== undefined && kind !== 'Kustomization' && !apiVersion.startsWith('fairway.dev/'),
    );

/** The installation in a namespace of its own: what one overlay made may not be changed by the next. */
const apart = (objects: readonly KubeObject[], name: string): KubeObject[] =>
  objects.map((object) => {
    const text = JSON.stringify(object).replaceAll('"namespace":"fairway"', `"namespace":"${name}"`);
    const moved = JSON.parse(text) as KubeObject;
    return object.kind === 'Namespace' ? { ...moved, metadata: { ...moved.metadata, name } } : moved;
  });

function as(config: KubeConfig, token: string): KubeConfig {
  const other = new KubeConfig();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no cluster');
  other.loadFromClusterAndUser(cluster, { name: 'account', token });
  return other;
}

/**
 * An object by its version. An Application by what we say in it, since Argo CD writes its status into the same object meanwhile.
 * A StatefulSet by all but version and time: its claim templates are one field to the server, which fills in their kind, status
 * and null creation time and then finds them changed by every apply (kubernetes#119304, open in 1.35); no controller sees more of it.
 */
function whatIsSaid({ kind, spec, metadata }: Body): unknown {
  const { name, labels, annotations, resourceVersion, generation, managedFields } = metadata;
  if (kind === 'Application') return { name, labels, annotations, spec };
  if (kind !== 'StatefulSet') return `${name} ${resourceVersion}`;
  const managed = (managedFields as { readonly time?: string }[]).map((entry) => ({ ...entry, time: undefined }));
  return { name, labels, annotations, spec, generation, managed };
}
