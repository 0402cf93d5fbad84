import { lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Container, Pod } from '../workloads.ts';
import { expand } from './environment.ts';
import type { Image } from './images.ts';
import { type Attempt, problem } from './problem.ts';

/**
 * How an image's entrypoint runs here. `{podIP}` in any text is the pod's own address. `env` wins over the image's and
 * the manifest's; `confineArgs` follow the container's own arguments (say, to bind to the pod's address).
 */
export type Program = {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly confineArgs?: readonly string[];
};
export type Programs = Readonly<Record<string, Program>>;

/** A container folder and the host folder behind it. */
export type Mount = { readonly path: string; readonly host: string };

/** What is spawned: absolute host paths everywhere. */
export type Command = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

/**
 * The host path of a container path: below the longest mount that holds it, else below the image if the image has its
 * first folder; any other text stays as it is.
 */
export function translate(text: string, mounts: readonly Mount[], imageRoot: string): string {
  if (!text.startsWith('/')) return text;
  const holding = mounts.filter(({ path }) => text === path || text.startsWith(path.endsWith('/') ? path : `${path}/`));
  const [longest] = [...holding].sort((a, b) => b.path.length - a.path.length);
  if (longest) return join(longest.host, text.slice(longest.path.length));
  const first = text.split('/')[1] ?? '';
  const inImage =
    first !== '' && first !== '..' && lstatSync(join(imageRoot, first), { throwIfNoEntry: false }) !== undefined;
  return inImage ? join(imageRoot, text) : text;
}

/** As {@link translate}, also for `--flag=/path`. */
function translateArgument(text: string, mounts: readonly Mount[], imageRoot: string): string {
  const flag = /^(--?[\w.-]+=)(\/.*)$/s.exec(text);
  return flag ? `${flag[1]}${translate(flag[2] ?? '', mounts, imageRoot)}` : translate(text, mounts, imageRoot);
}

/** The environment that every program needs to run at all; containers inherit nothing else from us. */
export type BaseEnv = { readonly PATH: string; readonly HOME: string; readonly TMPDIR: string };

/** Where a container runs: its pod, its mounts, and what every program needs. */
export type CommandPlace = {
  readonly pod: Pod;
  readonly podIP: string;
  readonly mounts: readonly Mount[];
  readonly base: BaseEnv;
};

/** The local command of a container: the program of its entrypoint with its arguments and environment. */
export function containerCommand(
  container: Container,
  image: Image,
  where: CommandPlace,
  manifestEnv: ReadonlyMap<string, string>,
  programs: Programs,
): Attempt<Command> {
  const [entrypoint, ...args] = commandWords(container, image).map((word) => expand(word, manifestEnv));
  if (entrypoint === undefined)
    return problem(
      'RunContainerError',
      `container "${container.name}": the image names no entrypoint and the manifest no command`,
    );
  const program = programOf(programs, entrypoint);
  if (!program)
    return problem(
      'RunContainerError',
      `exec: "${entrypoint}": the embedded cluster has no program for it; known are ${Object.keys(programs).join(', ')}`,
    );
  const fill = (text: string) => text.replaceAll('{podIP}', where.podIP);
  const argument = (text: string) => translateArgument(text, where.mounts, image.root);
  const workingDir = translate(container.workingDir ?? image.workingDir, where.mounts, image.root);
  return {
    ok: {
      argv: [...program.argv.map(fill), ...args.map(argument), ...(program.confineArgs ?? []).map(fill)],
      env: {
        ...where.base,
        LANG: 'C.UTF-8',
        HOSTNAME: where.pod.metadata.name,
        ...wholeEnv(image, where, manifestEnv, program),
      },
      cwd: workingDir === '' || workingDir === '/' ? image.root : workingDir,
    },
  };
}

/** The image's environment, the manifest's over it, the program's over both. */
function wholeEnv(
  image: Image,
  where: CommandPlace,
  manifestEnv: ReadonlyMap<string, string>,
  program: Program,
): Record<string, string> {
  const ofImage = image.env.map((pair): [string, string] => [
    pair.slice(0, pair.indexOf('=')),
    pair.slice(pair.indexOf('=') + 1),
  ]);
  // The image's PATH speaks of programs inside the image; ours run outside.
  const inside = [...ofImage.filter(([name]) => name !== 'PATH'), ...manifestEnv];
  const outside = Object.entries(program.env ?? {}).map(([name, value]) => [
    name,
    value.replaceAll('{podIP}', where.podIP),
  ]);
  return Object.fromEntries([
    ...inside.map(([name, value]) => [name, translate(value, where.mounts, image.root)]),
    ...outside,
  ]);
}

/** Own properties only: an image must not reach `constructor`. */
function programOf(programs: Programs, entrypoint: string): Program | undefined {
  const name = basename(entrypoint);
  return Object.hasOwn(programs, name) ? programs[name] : undefined;
}

/** `command` replaces the entrypoint and its arguments, `args` only the arguments. */
function commandWords(container: Container, image: Image): readonly string[] {
  if (container.command?.length) return [...container.command, ...(container.args ?? [])];
  return [...image.entrypoint, ...(container.args ?? image.cmd)];
}
