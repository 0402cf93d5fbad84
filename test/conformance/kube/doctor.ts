import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkCluster, type ClusterQuestion } from '../../../packages/cli/src/commands/doctor-cluster/check.ts';
import type { Finding } from '../../../packages/cli/src/commands/doctor-cluster/finding.ts';
import { loadIdentity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';
import { ARGO_CD } from '../../harness/kube-definitions.ts';
import { applyAll } from '../../manifests/cluster.ts';
import { rendering } from '../../manifests/render.ts';
import { apply, call, define, freshName, MERGE, type World } from './world.ts';

const BIN = fileURLToPath(new URL('../../../packages/cli/bin/fairway.js', import.meta.url));
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const ARGO = 'openshift-gitops';

/** `fairway doctor --cluster` against a server on which Fairway is installed, and then on which something of it is wrong. */
export function doctorCases(world: () => World): void {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairway-doctor-'));
    await define(world(), ARGO_CD);
    await applyAll(world(), rendering('manifests/install/overlays/openshift').objects);
    await applyAll(world(), rendering('manifests/argocd').objects);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const written = (config: object) => {
    const file = join(folder, 'kubeconfig');
    writeFileSync(file, JSON.stringify(config));
    return file;
  };
  /** The checks, in this process: each start of the command costs a second of computing. */
  async function doctor(
    where: Partial<ClusterQuestion> = {},
    config: object = kubeconfig(world()),
  ): Promise<Finding[]> {
    vi.stubEnv('KUBECONFIG', written(config));
    try {
      return await checkCluster({ namespace: 'fairway', ...where });
    } finally {
      vi.unstubAllEnvs();
    }
  }
  const command = (args: readonly string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: written(kubeconfig(world())) };
      execFile(process.execPath, [BIN, 'doctor', '--cluster', ...args], { env }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  const texts = (checks: readonly Finding[], state: Finding['state']) =>
    checks.filter((one) => one.state === state).map(({ name, text }) => `${name}: ${text}`);
  const patch = (path: string, body: object) => call(world(), 'PATCH', path, { body, type: MERGE });

  describe('doctor', () => {
    it('finds the installation, its rights and Secrets by name, and says of each thing that is missing how to mend it', async () => {
      const secret = {
        metadata: { name: 'fairway-writer' },
        stringData: { DATABASE_URL: 'postgres://not-to-be-told' },
      };
      await call(world(), 'POST', '/api/v1/namespaces/fairway/secrets', { body: secret });
      await call(world(), 'DELETE', '/api/v1/namespaces/fairway/secrets/fairway-monitor');
      const { code, out, err } = await command(['--json']);
      const { checks } = JSON.parse(out) as { checks: Finding[] };
      expect(code).toBe(1);
      expect(err).toMatch(/\d+ things are missing; the lines above say the mend\./);
      const good = texts(checks, 'ok');
      expect(good).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^API: https:\/\/127\.0\.0\.1:\d+ answers$/),
          expect.stringMatching(/^clock: /),
          'fairway-writer: has all of its 8 rights',
          'fairway-monitor: needs no rights',
          'fairway-writer: Secret fairway-writer is there',
        ]),
      );
      const bad = texts(checks, 'missing');
      expect(bad).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^fairway-monitor: Secret fairway-monitor is not there.*make it/),
          expect.stringMatching(/^fairway-writer: 0 of 2 replicas are available: see "kubectl/),
          expect.stringMatching(/^AppProject fairway: takes nothing from your repository/),
          expect.stringMatching(/^webhook fairway-injector: has no caBundle/),
        ]),
      );
      expect(out).not.toContain('not-to-be-told');
      expect(out).not.toContain(Buffer.from('postgres://not-to-be-told').toString('base64'));
    });

    it.each(['patch', 'list', 'get', 'watch'])(
      'names the right to %s Applications when it is taken away',
      async (verb) => {
        const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${ARGO}/roles/fairway-writer`;
        const { body } = await call(world(), 'GET', path);
        const rules = (body['rules'] as { resources: string[]; verbs: string[] }[]).map((rule) =>
          rule.resources.includes('applications') ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) } : rule,
        );
        await patch(path, { rules });
        try {
          await expect
            .poll(async () => texts(await doctor(), 'missing'))
            .toContainEqual(
              expect.stringContaining(`may not ${verb} applications.argoproj.io in ${ARGO}: apply its Role`),
            );
        } finally {
          await patch(path, { rules: body['rules'] });
        }
      },
    );

    it.each([
      ['apps', 'deployments', 'get'],
      ['', 'pods', 'list'],
      ['batch', 'jobs', 'get'],
    ])('names the right in all namespaces when it is taken away: %s %s', async (group, resource, verb) => {
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/fairway-writer-observer';
      const { body } = await call(world(), 'GET', path);
      const rules = body['rules'] as { resources: string[] }[];
      await patch(path, { rules: rules.filter(({ resources }) => !resources.includes(resource)) });
      const called = `${verb} ${resource}${group === '' ? '' : `.${group}`} in all namespaces`;
      try {
        await expect
          .poll(async () => texts(await doctor(), 'missing'))
          .toContainEqual(expect.stringContaining(`fairway-writer: may not ${called}: apply its Role, ClusterRole`));
      } finally {
        await patch(path, { rules });
      }
    });

    it('judges the authority of the webhook: none, expired, garbage, good', async () => {
      const hook = `${HOOKS}/fairway-injector`;
      const { body } = await call(world(), 'GET', hook);
      const [webhook] = body['webhooks'] as { clientConfig: object }[];
      const pem = (name: string, now: number) => loadIdentity(join(folder, name), ['127.0.0.1'], now).certificate;
      const cases = [
        [pem('old', Date.parse('2010-01-01')), 'missing', /has expired \(2019-12-30\)/],
        [pem('good', Date.now()), 'ok', /trusts an authority until/],
      ] as const;
      for (const [text, state, told] of cases) {
        const caBundle = Buffer.from(text).toString('base64');
        const clientConfig = { ...webhook?.clientConfig, caBundle };
        const written = await patch(hook, { webhooks: [{ ...webhook, clientConfig }] });
        expect(written.status).toBe(200);
        const checks = await doctor();
        expect(texts(checks, state).filter((one) => one.startsWith('webhook '))).toEqual([expect.stringMatching(told)]);
      }
      await patch(hook, { webhooks: body['webhooks'] });
    });

    it('sees a second installation, an excluded kind, a namespace that nobody manages, and a namespace without Fairway', async () => {
      const second = rendering('manifests/install/overlays/openshift').objects.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'fairway-writer',
      );
      const twin = { ...second, metadata: { ...second?.metadata, namespace: 'fairway-second' } };
      await applyAll(world(), [twin as never]);
      const settings = { 'resource.exclusions': '- apiGroups: ["apps"]\n  kinds: ["Deploy*"]\n' };
      await apply(world(), `/api/v1/namespaces/${ARGO}/configmaps`, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'argocd-cm' },
        data: settings,
      } as never);
      const bad = texts(await doctor(), 'missing');
      expect(bad).toContainEqual(
        expect.stringMatching(/^one installation: Fairway is also installed in .*fairway-second/),
      );
      expect(bad).toContainEqual(expect.stringMatching(/^Argo CD settings: .* keep Argo CD from Deployment:/));
      const elsewhere = texts(await doctor({ namespace: 'nowhere' }), 'missing');
      expect(elsewhere).toContainEqual(
        expect.stringMatching(/^installation: namespace nowhere is not there: apply an overlay/),
      );
      await call(world(), 'DELETE', `/apis/apps/v1/namespaces/fairway-second/deployments/fairway-writer`);
      await call(world(), 'DELETE', `/api/v1/namespaces/${ARGO}/configmaps/argocd-cm`);
    });

    it('with OpenShift GitOps asks for the managed-by label', async () => {
      await define(world(), [{ group: 'argoproj.io', version: 'v1beta1', kind: 'ArgoCD', plural: 'argocds' }]);
      const label = (value: string | null) =>
        patch('/api/v1/namespaces/fairway', { metadata: { labels: { 'argocd.argoproj.io/managed-by': value } } });
      await label(null);
      expect(texts(await doctor(), 'missing')).toContainEqual(
        `namespace fairway: has no label argocd.argoproj.io/managed-by, so Argo CD may not write there: kubectl label --overwrite namespace fairway argocd.argoproj.io/managed-by=${ARGO}`,
      );
      await label(ARGO);
      expect(texts(await doctor(), 'ok')).toContain(`namespace fairway: is managed by ${ARGO}`);
    });

    it('sees whom our network policies let in, and a pod that asked for an agent and runs without', async () => {
      const name = freshName('callers');
      expect(texts(await doctor(), 'missing')).not.toContainEqual(expect.stringContaining(name));
      const labels = { 'fairway.dev/may-call': 'true' };
      await call(world(), 'POST', '/api/v1/namespaces', { body: { metadata: { name, labels } } });
      const pod = {
        metadata: { name: 'bare', labels: { 'fairway.dev/inject': 'true' } },
        spec: { containers: [{ name: 'serving', image: 'serving@sha256:0' }] },
      };
      const made = await call(world(), 'POST', `/api/v1/namespaces/${name}/pods`, { body: pod });
      expect(made.status, made.text).toBe(201);
      const checks = await doctor();
      expect(texts(checks, 'ok')).toContainEqual(
        expect.stringMatching(`^callers: network policies let .*\\b${name}\\b.* in$`),
      );
      expect(texts(checks, 'missing')).toContainEqual(
        expect.stringMatching(`^agents: \\d+ of \\d+ pods that asked .*\\b${name}/bare\\b`),
      );
      await call(world(), 'DELETE', `/api/v1/namespaces/${name}/pods/bare`);
    });

    it('run by somebody without rights says what could not be looked at, and does not fail by it', async () => {
      await call(world(), 'POST', '/api/v1/namespaces/fairway/serviceaccounts', {
        body: { metadata: { name: 'visitor' } },
      });
      const { token } = (
        await call(world(), 'POST', '/api/v1/namespaces/fairway/serviceaccounts/visitor/token', {
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
        })
      ).body['status'] as { token: string };
      const checks = await doctor({}, kubeconfig(world(), { token }));
      const unseen = texts(checks, 'warning').join('\n');
      expect(unseen).toMatch(/you: you may not list namespaces, so labels of namespaces cannot be checked/);
      expect(unseen).toMatch(
        /webhook: cannot be looked at: .* is forbidden: User "system:serviceaccount:fairway:visitor"/,
      );
      expect(JSON.stringify(checks)).not.toMatch(/TypeError|undefined/);
    });

    it.each([
      ['a wrong token', { token: 'wrong' }, /^API: .* does not know these credentials \(401\)/],
      ['nothing that listens', { server: 'https://127.0.0.1:9' }, /is not reached: nothing listens there/],
      [
        'a name that nobody knows',
        { server: 'https://kubernetes.invalid' },
        /is not reached: (its name is not known|no DNS server)/,
      ],
      ['another authority', { authority: true }, /is not reached: its certificate is not signed by an authority/],
    ])('tells %s in a sentence, and ends', async (_, wrong, told) => {
      const ca = loadIdentity(join(folder, 'stranger'), ['127.0.0.1'], Date.now()).certificate;
      const checks = await doctor({}, kubeconfig(world(), 'authority' in wrong ? { ca } : wrong));
      expect(texts(checks, 'missing')).toEqual([expect.stringMatching(told)]);
    });

    it.each([
      [
        'has expired',
        '2010-01-01',
        /its certificate has expired: renew the API server's certificate, or set this clock/,
      ],
      ['is not valid yet', '2100-01-01', /its certificate is not valid yet: compare the clocks/],
    ])('tells of a server whose certificate %s, and ends', async (name, from, told) => {
      const { key, certificate } = loadIdentity(join(folder, name), ['127.0.0.1'], Date.parse(from));
      const server = createServer({ key, cert: certificate }, (_, response) => void response.end('{}'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const checks = await doctor({}, kubeconfig(world(), { server: `https://127.0.0.1:${port}`, ca: certificate }));
        expect(texts(checks, 'missing')).toEqual([expect.stringMatching(told)]);
      } finally {
        server.close();
      }
    });

    it('refuses a context that is not there, and names those that are', async () => {
      await expect(doctor({ context: 'production' })).rejects.toThrow(/has no context production; it has: test:/);
    });

    it('is content with a CustomResourceDefinition that goes, and says what goes with it', async () => {
      await define(world(), [{ group: 'keda.sh', version: 'v1alpha1', kind: 'ScaledObject', plural: 'scaledobjects' }]);
      await call(world(), 'DELETE', `${CRD}/scaledobjects.keda.sh`);
      await expect
        .poll(async () => texts(await doctor(), 'warning'))
        .toContainEqual(expect.stringMatching(/^ScaledObject: keda\.sh\/v1alpha1 is not served .*: install KEDA/));
    });
  });
}

type Changes = { readonly token?: string; readonly server?: string; readonly ca?: string };

function kubeconfig({ config }: World, { token, server, ca }: Changes = {}): object {
  const cluster = config.getCurrentCluster();
  const authority =
    ca === undefined
      ? cluster?.caData === undefined
        ? { 'certificate-authority': cluster?.caFile }
        : { 'certificate-authority-data': cluster.caData }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: server ?? cluster?.server, ...authority } }],
    users: [{ name: 'test', user: { token: token ?? config.getCurrentUser()?.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
}
