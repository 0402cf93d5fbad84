import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../guards/source.ts';
import type { Foreign } from './foreign.ts';
import { type KubeObject, scratch } from './render.ts';

const FOREIGN: Record<keyof Foreign, true> = {
  'route.openshift.io/v1 Route': true,
  'gateway.networking.k8s.io/v1 HTTPRoute': true,
  'keda.sh/v1alpha1 ScaledObject': true,
  'keda.sh/v1alpha1 TriggerAuthentication': true,
  'cert-manager.io/v1 Issuer': true,
  'cert-manager.io/v1 Certificate': true,
  'external-secrets.io/v1 ExternalSecret': true,
  'bitnami.com/v1alpha1 SealedSecret': true,
  'argoproj.io/v1beta1 ArgoCD': true,
  'argoproj.io/v1alpha1 NotificationsConfiguration': true,
};

const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: 'nodenext',
  target: 'es2022',
  types: [],
  allowImportingTsExtensions: true,
};

/** Problems of objects against the published types of their kinds: unknown fields, missing ones, wrong values, unknown kinds. */
export function schemaProblems(objects: readonly KubeObject[]): string[] {
  const unique = new Map(objects.map((object) => [JSON.stringify(object), object]));
  const typed = [...unique.values()].map((object) => ({ object, type: typeOf(object) }));
  const unknown = typed.filter(({ type }) => type === undefined);
  const known = typed.filter((one): one is Typed => one.type !== undefined);
  return [
    ...unknown.map(({ object }) => `${title(object)}: no schema is known for ${object.apiVersion} ${object.kind}`),
    ...compile(known),
  ];
}

export const title = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;

type Typed = { readonly object: KubeObject; readonly type: { readonly from: string; readonly name: string } };

/** The module and the type in it that say what an object of this kind may hold. */
function typeOf({ apiVersion, kind }: KubeObject): Typed['type'] | undefined {
  const key = `${apiVersion} ${kind}`;
  if (key in FOREIGN) return { from: join(ROOT, 'test/manifests/foreign.ts'), name: `Foreign[${JSON.stringify(key)}]` };
  const library =
    apiVersion === 'argoproj.io/v1alpha1'
      ? '@kubernetes-models/argo-cd'
      : apiVersion.startsWith('monitoring.coreos.com/')
        ? '@kubernetes-models/prometheus-operator'
        : 'kubernetes-models';
  const from = `${library}/${apiVersion}/${kind}`;
  return existsSync(join(ROOT, 'node_modules', `${from}.d.ts`)) ? { from, name: `I${kind}` } : undefined;
}

/** Fresh object literals may only have known keys, so the compiler finds what validators of JSON schemas let through. */
function compile(typed: readonly Typed[]): string[] {
  if (typed.length === 0) return [];
  const folder = scratch();
  try {
    for (const [index, { object, type }] of typed.entries()) {
      const imported = type.name.split('[')[0];
      const text = `import type { ${imported} } from ${JSON.stringify(type.from)};\nexport const object: ${type.name} = ${JSON.stringify(object, null, 1)};\n`;
      writeFileSync(join(folder, `${index}.ts`), text);
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }),
    );
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout, stderr, status } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status === 0) return [];
    const problems = sentences(stdout, typed);
    return problems.length > 0 ? problems : [`the compiler ended with ${status}: ${stdout}${stderr}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sentences(output: string, typed: readonly Typed[]): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const problems: string[] = [];
  for (const line of lines) {
    const match = /^(?:.*\/)?(\d+)\.ts\(\d+,\d+\): error TS\d+: (.*)$/.exec(line);
    const found = typed[Number(match?.[1])];
    if (match?.[2] !== undefined && found !== undefined) problems.push(`${title(found.object)}: ${match[2]}`);
    // What is indented says more about the line before.
    else if (problems.length > 0) problems.push(`${problems.pop()} ${line.trim()}`);
    else problems.push(line.trim());
  }
  return problems;
}
