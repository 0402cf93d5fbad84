import { FairwayError } from '@fairway/core';

/** Programs of one package that share a layer: its folder below `/opt/fairway`, and its entries from the root of the checkout. */
export type Bundle = { readonly name: string; readonly entries: Readonly<Record<string, string>> };
export type ImageSpec = {
  /** The image is called `fairway/<name>`. */
  readonly name: string;
  readonly bundle: Bundle;
  /** Of `bundle.entries`. */
  readonly entry: string;
  /** Of Node. */
  readonly options?: readonly string[];
  readonly description: string;
  /** Programs that its base must have on its PATH. */
  readonly needs: readonly string[];
};

const WRITER: Bundle = { name: 'writer', entries: { main: 'packages/gitops-writer/src/main.ts' } };
const MONITOR: Bundle = {
  name: 'monitor',
  entries: { main: 'packages/monitor/src/main.ts', recorder: 'packages/monitor/src/recorder-main.ts' },
};
const AGENT: Bundle = {
  name: 'agent',
  entries: { main: 'packages/log-sidecar/src/main.ts', injector: 'packages/log-sidecar/src/injector-main.ts' },
};

/**
 * Below a heap limit of 2 GiB V8 collects the old generation as soon as it has grown by a third of what is in use (`--max-old-space-size`
 * of 320 MiB: once for each pack, a third of a recorder's time); the limit itself stays. Node takes this one on its command line only,
 * not in NODE_OPTIONS. Measured: docs/measured.md.
 */
const growing = (percent: number): readonly string[] => [`--heap-growing-percent=${percent}`];

/**
 * MiB of each half of the forwarding thread's young generation. V8's own bound is 16, and it comes to it within minutes of steady traffic:
 * 30 MiB of a pod for nothing. The capture thread has a bound of its own.
 */
const young = (mib: number): readonly string[] => [`--max-semi-space-size=${mib}`];

/** Images of one bundle differ in their entry point only: a node, a registry and a scanner have their layer once. */
export const IMAGES: readonly ImageSpec[] = [
  {
    name: 'writer',
    bundle: WRITER,
    entry: 'main',
    // More of it, and the writer holds more than it may.
    options: growing(100),
    description: 'Approvals in, pull requests out',
    needs: ['node', 'git'],
  },
  {
    name: 'recorder',
    bundle: MONITOR,
    entry: 'recorder',
    options: growing(300),
    description: 'Captured predictions into PostgreSQL',
    needs: ['node'],
  },
  { name: 'monitor', bundle: MONITOR, entry: 'main', description: 'Verdicts, retraining, dashboard', needs: ['node'] },
  {
    name: 'agent',
    bundle: AGENT,
    entry: 'main',
    options: young(2),
    description: 'Capture agent of a scoring pod, its tail and smoke test',
    needs: ['node'],
  },
  {
    name: 'injector',
    bundle: AGENT,
    entry: 'injector',
    description: 'Admission webhook that gives pods their agent',
    needs: ['node'],
  },
];

const FOLDER = 'opt/fairway';
export const pathIn = ({ name }: Bundle, file: string): string => `${FOLDER}/${name}/${file}`;
export const entrypoint = ({ bundle, entry, options = [] }: ImageSpec): string[] => [
  'node',
  ...options,
  `/${pathIn(bundle, `${entry}.mjs`)}`,
];

/** Any uid may run it; this one counts where nothing else is said. Group 0 is what OpenShift's random uids are in. */
export const USER = '1001:0';
export const ENV = ['NODE_ENV=production'] as const;

/** The images called `names`, all without any. Throws `config.invalid` on a name that is none. */
export function chosen(names: readonly string[]): readonly ImageSpec[] {
  const unknown = names.find((name) => !IMAGES.some((image) => image.name === name));
  if (unknown !== undefined) {
    throw new FairwayError(
      'config.invalid',
      `There is no image ${JSON.stringify(unknown)}; there are ${IMAGES.map(({ name }) => name).join(', ')}.`,
    );
  }
  return names.length === 0 ? IMAGES : IMAGES.filter(({ name }) => names.includes(name));
}
