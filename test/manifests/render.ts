import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { kubectlPath } from '../../packages/cli/src/stack/kubectl.ts';
import { ROOT } from '../guards/source.ts';

/** An object as kustomize prints it. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/** `where` tells a reader which rendering it is from; it is the folder below the checkout where there is one. */
export type Rendering = { readonly where: string; readonly objects: readonly KubeObject[] };

const INSTALL = 'manifests/install';

/** What `kubectl kustomize` prints for a folder. Throws what kustomize says when it cannot. */
export const kustomizeText = (folder: string): string =>
  execFileSync(kubectlPath(join(ROOT, '.cache')), ['kustomize', folder], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** The objects in it. */
export const kustomize = (folder: string): KubeObject[] => objectsOf(kustomizeText(folder));

export const objectsOf = (yaml: string): KubeObject[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);

export const rendering = (folder: string): Rendering => ({
  where: relative(ROOT, resolve(ROOT, folder)),
  objects: kustomize(resolve(ROOT, folder)),
});

/** The folders that a person may apply as they stand, with their own digests and addresses. */
export function shippedOverlays(): string[] {
  const overlays = readdirSync(join(ROOT, INSTALL, 'overlays')).map((name) => `${INSTALL}/overlays/${name}`);
  const models = ['manifests/argocd', 'manifests/argocd-guarded', 'manifests/argocd-kubernetes'];
  return [...overlays.sort(), ...models, ...foldersBelow('manifests/argocd/overlays')];
}

/** The Secrets that an installer makes outside of kustomize, as External Secrets and Sealed Secrets have them: one rendering for each file. */
export const examples = (): Rendering[] =>
  readdirSync(join(ROOT, INSTALL, 'examples'))
    .sort()
    .map((name) => `${INSTALL}/examples/${name}`)
    .map((where) => ({ where, objects: objectsOf(readFileSync(join(ROOT, where), 'utf8')) }));

/** The base with each component alone, and with all that may stand together. */
export function combinations(): Rendering[] {
  const components = foldersBelow(`${INSTALL}/components`).map((path) => path.slice(`${INSTALL}/components/`.length));
  const choices = EXCLUSIVE.reduce<string[][]>(
    (sets, [one, other]) => sets.flatMap((set) => [without(set, one), without(set, other)]),
    [components],
  );
  return [[], ...components.map((one) => [one]), ...choices].map(combined);
}

const without = (set: readonly string[], name: string): string[] => set.filter((one) => one !== name);

/** Components that the docs say exclude each other. */
const EXCLUSIVE = [
  ['recorder-hpa', 'recorder-keda'],
  ['injector-tls-cert-manager', 'injector-tls-service-ca'],
] as const;

function combined(components: readonly string[]): Rendering {
  const folder = scratch();
  try {
    const at = (path: string) => relative(folder, join(ROOT, INSTALL, path));
    const lines = [
      'apiVersion: kustomize.config.k8s.io/v1beta1',
      'kind: Kustomization',
      `resources: [${at('base')}, ${at('services/injector')}]`,
      `components: [${components.map((name) => at(`components/${name}`)).join(', ')}]`,
    ];
    writeFileSync(join(folder, 'kustomization.yaml'), `${lines.join('\n')}\n`);
    return { where: `base + ${components.join(' + ') || 'nothing'}`, objects: kustomize(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder of its own below the checkout, where modules and relative bases are found; the caller removes it. */
export function scratch(): string {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  return mkdtempSync(join(ROOT, '.cache', 'manifests-'));
}

function foldersBelow(path: string): string[] {
  if (!existsSync(join(ROOT, path))) return [];
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, path, entry.name, 'kustomization.yaml')))
    .map((entry) => `${path}/${entry.name}`)
    .sort();
}
