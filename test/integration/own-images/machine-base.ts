import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** The path of a program on this machine; undefined where there is none. */
export const program = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));

/** The libraries that a program is linked to, as it names them; none for a static one. */
function librariesOf(file: string): string[] {
  const said = execFileSync(program('ldd') ?? '', [file], { encoding: 'utf8' });
  return [...said.matchAll(/(?:=>\s+)?(\/\S+)\s+\(0x/g)].map(([, path = '']) => path);
}

const copy = (root: string, from: string, to: string): void => {
  mkdirSync(dirname(join(root, to)), { recursive: true });
  execFileSync('cp', ['-L', '--preserve=mode', realpathSync(from), join(root, to)]);
};

/** With `/lib` merged into `/usr/lib`, as Debian has it since 12. */
const merged = (path: string): string => path.replace(/^\/(lib|lib64|bin|sbin)\//, '/usr/$1/').slice(1);

/** A file system in three layers out of what this machine has: a merged-usr system, Node, and Git with a deleted file. */
function writeLayers(folder: string, git: string): string[] {
  const [os, node, top] = ['os', 'node', 'git'].map((name) => join(folder, name)) as [string, string, string];
  for (const name of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'root', 'tmp', 'var'])
    mkdirSync(join(os, name), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(os, name));
  writeFileSync(join(os, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(os, 'etc/motd'), 'not to be seen\n');
  const shell = realpathSync('/bin/sh');
  copy(os, shell, 'usr/bin/sh');
  for (const file of [shell, process.execPath, git])
    for (const library of librariesOf(file)) copy(os, library, merged(library));
  copy(node, process.execPath, 'usr/local/bin/node');
  symlinkSync('node', join(node, 'usr/local/bin/nodejs'));
  copy(top, git, 'usr/bin/git');
  mkdirSync(join(top, 'etc'));
  writeFileSync(join(top, 'etc/.wh.motd'), '');
  execFileSync('chmod', ['1777', join(os, 'tmp')]);
  return [os, node, top];
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Writes that system as an OCI layout, its one image under the bare name `node`, with layers packed by tar and gzip. */
export function writeMachineBase(scratch: string, layout: string, git: string): void {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const add = (bytes: Buffer, mediaType: string) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const tars = writeLayers(scratch, git).map((folder) =>
    execFileSync('tar', ['-c', '--owner=0', '--group=0', '--sort=name', '-C', folder, '.'], { maxBuffer: 2 ** 30 }),
  );
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: [`PATH=${PATH}`, 'NODE_VERSION=20'], Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] },
    rootfs: {
      type: 'layers',
      diff_ids: tars.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`),
    },
    history: tars.map(() => ({ created_by: 'test' })),
  };
  const kind = 'application/vnd.oci.image';
  const manifest = {
    schemaVersion: 2,
    mediaType: `${kind}.manifest.v1+json`,
    config: add(json(config), `${kind}.config.v1+json`),
    layers: tars.map((tar) => add(gzipSync(tar, { level: 1 }), `${kind}.layer.v1.tar+gzip`)),
  };
  const annotations = { 'org.opencontainers.image.ref.name': 'node' };
  const manifests = [{ ...add(json(manifest), manifest.mediaType), annotations }];
  writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests }));
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

type Descriptor = { readonly digest: string };

/** The file system of an image as a container runtime makes it: layer over layer, what a whiteout names taken away. */
export function unpackImage(
  layout: string,
  digest: string,
  root: string,
): { Env: string[]; Entrypoint: string[]; User: string } {
  mkdirSync(root, { recursive: true });
  const blob = (one: string) => join(layout, 'blobs/sha256', one.slice('sha256:'.length));
  const read = (one: string): unknown => JSON.parse(readFileSync(blob(one), 'utf8'));
  const { config, layers } = read(digest) as { config: Descriptor; layers: Descriptor[] };
  for (const layer of layers) {
    execFileSync('tar', ['-xpf', blob(layer.digest), '-C', root, '--keep-directory-symlink']);
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!/(^|\/)\.wh\.[^/]+$/.test(path)) continue;
      for (const gone of [path, path.replace(/\.wh\.([^/]+)$/, '$1')])
        rmSync(join(root, gone), { recursive: true, force: true });
    }
  }
  return (read(config.digest) as { config: { Env: string[]; Entrypoint: string[]; User: string } }).config;
}
