import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ROOT } from '../../guards/source.ts';
import { policyProblems } from '../../manifests/policy.ts';
import { kustomize, type KubeObject, rendering, scratch } from '../../manifests/render.ts';
import { schemaProblems } from '../../manifests/schema.ts';

type Source = { path: string; targetRevision: string; kustomize: { namespace: string; patches: object[] } };
type PreviewSet = {
  generators: { pullRequest: { filters: { branchMatch: string }[]; github: { labels: string[] } } }[];
  template: { spec: { project: string; source: Source; destination: { namespace: string } } };
};
type Project = {
  destinations: { namespace: string }[];
  clusterResourceWhitelist: object[];
  namespaceResourceWhitelist: { group: string; kind: string }[];
};

const objects = rendering('manifests/argocd/overlays/previews').objects;
const specOf = (wanted: string) => objects.find(({ kind }) => kind === wanted)?.['spec'];
const project = specOf('AppProject') as Project;
const set = specOf('ApplicationSet') as PreviewSet;
const branch = 'fairway/deploy/m/prod/0123456789abcdef0123';

/** As Argo CD fills a template in, for the few expressions that the file has. */
const filled = (text: string): string =>
  text
    .replaceAll(
      /\{\{ index \(splitList "\/" \.branch\) (\d) \}\}/g,
      (_, at: string) => branch.split('/')[Number(at)] ?? '',
    )
    .replaceAll('{{ .number }}', '12')
    .replaceAll('{{ .head_sha }}', 'a'.repeat(40));

const filledIn = (value: unknown): unknown => {
  if (typeof value === 'string') return filled(value);
  if (Array.isArray(value)) return value.map(filledIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one)]));
};
const source = filledIn(set.template.spec.source) as Source;

const GOLDEN = join(ROOT, 'test/golden/writer');
const FOLDERS = ['smoke', ...readdirSync(join(GOLDEN, 'variants')).map((name) => `variants/${name}`)];

/** A rendered folder as Argo CD builds it for a preview: its kustomization with the set's namespace and patches added. */
function preview(folder: string): KubeObject[] {
  const work = scratch();
  try {
    // Of the one with golden cases the sample has only what they add.
    for (const from of ['variants/plain', folder]) cpSync(join(GOLDEN, from), work, { recursive: true });
    for (const file of ['modelversion.json', 'golden.jsonl'])
      if (!existsSync(join(work, file))) writeFileSync(join(work, file), '{}\n');
    const path = join(work, 'kustomization.yaml');
    const own = parse(readFileSync(path, 'utf8')) as { patches?: object[] };
    writeFileSync(
      path,
      stringify({ ...own, ...source.kustomize, patches: [...(own.patches ?? []), ...source.kustomize.patches] }),
    );
    return kustomize(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

describe('a preview of a pull request', () => {
  it('is of a deployment that the writer proposes and a person has labelled, as its head is', () => {
    const [generator] = set.generators;
    const [filter] = generator?.pullRequest.filters ?? [];
    expect(generator?.pullRequest.github.labels).toEqual(['preview']);
    const match = new RegExp(filter?.branchMatch ?? '');
    expect([branch, 'fairway/retrain/m/prod/1', 'fairway/deploy/m', 'main'].map((one) => match.test(one))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(source).toMatchObject({ path: 'models/m/environments/prod', targetRevision: 'a'.repeat(40) });
  });

  it('reaches no namespace in which something serves, and applies nothing but what its project allows', () => {
    expect(set.template.spec.project).toBe('fairway-previews');
    expect(project.destinations.map(({ namespace }) => namespace)).toEqual(['*-preview-*']);
    expect(filled(set.template.spec.destination.namespace)).toBe('m-preview-12');
    expect(source.kustomize.namespace).toBe('m-preview-12');
    expect(project.clusterResourceWhitelist).toEqual([{ group: '', kind: 'Namespace' }]);
  });

  describe.each(FOLDERS)('of %s', (folder) => {
    let built: KubeObject[];
    beforeAll(() => {
      built = preview(folder);
    });
    const specs = (kind: string) => built.filter((one) => one.kind === kind).map((one) => one['spec'] as never);

    it('lies in its own namespace, whole, with kinds that the project allows', () => {
      const allowed = project.namespaceResourceWhitelist.map(({ group, kind }) => `${group}/${kind}`);
      for (const { apiVersion, kind, metadata } of built) {
        const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
        expect(allowed).toContain(`${group}/${kind}`);
        expect([metadata.name, metadata.namespace]).toEqual([metadata.name, 'm-preview-12']);
      }
      expect(built.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
        expect.arrayContaining(['Deployment m', 'Service m', 'NetworkPolicy fairway-serving']),
      );
      expect(JSON.stringify(built)).not.toContain('m-prod');
    });

    it('records nothing: no agent, no tail, no Secret; its Services lead to the model', () => {
      type Pods = {
        replicas: number;
        template: { metadata: { labels: object }; spec: { volumes?: { name: string }[] } };
      };
      for (const { replicas, template } of specs('Deployment') as Pods[]) {
        expect(replicas).toBe(1);
        expect(template.metadata.labels).not.toHaveProperty(['fairway.dev/inject']);
        expect((template.spec.volumes ?? []).filter(({ name }) => name !== 'config')).toEqual([]);
      }
      const text = JSON.stringify(built);
      expect(text).not.toMatch(/QUEUE_URL|fairway-queue|FAIRWAY_ENVIRONMENT|fairway-tail"/);
      type Ports = { ports: { port: number; targetPort: number | string }[] };
      for (const { ports } of specs('Service') as Ports[])
        expect(ports.filter(({ port }) => port === 8501).map(({ targetPort }) => targetPort)).toEqual([8501]);
    });

    it('keeps our rules, and has only fields that the API knows', () => {
      expect(schemaProblems(built)).toEqual([]);
      expect(policyProblems(built, { production: false })).toEqual([]);
    });
  });

  it('asks its own golden cases, not those of what serves', () => {
    const job = preview('smoke').find(({ kind }) => kind === 'Job');
    expect(JSON.stringify(job)).toContain('{"name":"SMOKE_URL","value":"http://fairway-smoke:8501"}');
    expect(job?.metadata.annotations?.['argocd.argoproj.io/hook']).toBe('PostSync');
  });
});
