import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Injector, secretFolder, startInjector } from '../../integration/injector/injector.ts';
import { eventually } from '../../integration/kube/cluster.ts';
import { rendering } from '../../manifests/render.ts';
import { apply, call, freshName, type World } from './world.ts';

const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

type Container = { readonly name: string; readonly image: string };
type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
};

const agentsOf = ({ spec }: Pod) =>
  [...spec.containers, ...(spec.initContainers ?? [])].filter(({ image }) => image.includes('/fairway/agent@'));

/** Our own injector, registered as the manifests do it. */
export function injectorCases(world: () => World): void {
  describe('the injector as a webhook', () => {
    const name = freshName('webhook');
    const pods = `/api/v1/namespaces/${name}/pods`;
    const folder = secretFolder();
    const identity = folder.identity();
    let injector: Injector;
    const { pod } = JSON.parse(
      readFileSync(new URL('../../golden/injector/port-by-argument.in.json', import.meta.url), 'utf8'),
    ) as { pod: Pod };
    const named = (as: string, from: Pod = pod): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: from.metadata.labels, annotations: from.metadata.annotations, name: as, namespace: name },
      spec: from.spec,
    });
    const create = async (body: object) => {
      const answer = await call(world(), 'POST', pods, { body });
      expect(answer.status, answer.text).toBe(201);
      return { made: answer.body as unknown as Pod, warning: answer.headers['warning'] };
    };

    beforeAll(async () => {
      const { body: version } = await call(world(), 'GET', '/version');
      folder.put(identity);
      injector = await startInjector(folder, { KUBERNETES_VERSION: String(version['gitVersion']) });
      await call(world(), 'POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      const shipped = rendering('manifests/install/overlays/openshift').objects.find(
        ({ kind }) => kind === 'MutatingWebhookConfiguration',
      );
      const [webhook] = (shipped?.['webhooks'] ?? []) as object[];
      const clientConfig = {
        url: `https://127.0.0.1:${injector.port}/inject`,
        caBundle: Buffer.from(identity.certificate).toString('base64'),
      };
      const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } };
      await call(world(), 'PATCH', `/api/v1/namespaces/${name}`, {
        body: { metadata: { labels: namespaceSelector.matchLabels } },
        type: 'application/merge-patch+json',
      });
      const webhooks = [{ ...webhook, clientConfig, namespaceSelector, failurePolicy: 'Fail' }];
      const made = await apply(world(), HOOKS, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name },
        webhooks,
      } as never);
      expect(made.status, made.text).toBe(201);
      // A new configuration is heard of within a second or so.
      await eventually(
        'the webhook is asked',
        async () => agentsOf((await create(named(freshName('probe')))).made).length === 1,
      );
    });
    afterAll(async () => {
      await call(world(), 'DELETE', `${HOOKS}/${name}`);
      await injector.end('SIGKILL');
      folder.remove();
    });

    it('puts the agent into a pod that asks, once', async () => {
      const { made, warning } = await create(named('asks'));
      expect(warning).toBeUndefined();
      expect(agentsOf(made)).toHaveLength(1);
      expect(made.metadata.annotations).toHaveProperty(['fairway.dev/status']);
      const { made: again } = await create(named('again', made));
      expect(agentsOf(again)).toHaveLength(1);
      expect(again.spec.containers.map((one) => one.name)).toEqual(made.spec.containers.map((one) => one.name));
      expect(again.metadata.annotations?.['fairway.dev/status']).toBe(
        made.metadata.annotations?.['fairway.dev/status'],
      );
    });
    it('leaves a pod alone that does not ask, and warns one that asks wrongly', async () => {
      const plain = { metadata: { name: 'plain' }, spec: { containers: [{ name: 'a', image: 'a@sha256:0' }] } };
      expect(agentsOf((await create(named('plain', plain))).made)).toEqual([]);
      const wrong = { ...pod, metadata: { ...pod.metadata, annotations: { 'fairway.dev/sidecars': 'native' } } };
      const { made, warning } = await create(named('wrong', wrong));
      expect(agentsOf(made)).toEqual([]);
      expect(String(warning)).toMatch(/fairway\.dev\/sidecars/);
    });
  });
}
