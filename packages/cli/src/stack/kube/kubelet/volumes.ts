import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { CLAIM, VOLUME } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { Pod, Volume } from '../workloads.ts';
import { type Lookup, lookupIn } from './environment.ts';

/** Host folders by volume name, or why one cannot be mounted yet. */
export type Mounted = { readonly ok: ReadonlyMap<string, string> } | { readonly waiting: string };

/** Makes the folders of a pod's volumes below `dir`. Callable again: an emptyDir keeps what is in it. */
export function mountVolumes(registry: Registry, pod: Pod, dir: string): Mounted {
  const namespace = pod.metadata.namespace ?? '';
  const lookup = lookupIn(registry, namespace);
  const folders = new Map<string, string>();
  for (const volume of pod.spec.volumes ?? []) {
    const folder = join(dir, 'volumes', volume.name);
    const host = volume.persistentVolumeClaim
      ? claimedFolder(registry, namespace, volume.persistentVolumeClaim.claimName)
      : ownFolder(volume, folder, lookup);
    if ('waiting' in host) return host;
    folders.set(volume.name, host.ok);
  }
  return { ok: folders };
}

type Folder = { readonly ok: string } | { readonly waiting: string };

function claimedFolder(registry: Registry, namespace: string, name: string): Folder {
  const claim = registry.get(CLAIM, namespace, name);
  if (!claim) return { waiting: `persistentvolumeclaim "${name}" not found` };
  if (claim.status?.phase !== 'Bound') return { waiting: `persistentvolumeclaim "${name}" is not bound yet` };
  const volume = registry.get(VOLUME, '', claim.spec.volumeName ?? '');
  const path = volume?.spec.hostPath?.path;
  if (path === undefined) return { waiting: `persistentvolume "${claim.spec.volumeName}" has no hostPath` };
  mkdirSync(path, { recursive: true });
  return { ok: path };
}

function ownFolder(volume: Volume, folder: string, lookup: Lookup): Folder {
  const source = volume.secret
    ? { kind: 'Secret' as const, name: volume.secret.secretName, ...volume.secret }
    : undefined;
  const files = source ?? (volume.configMap ? { kind: 'ConfigMap' as const, ...volume.configMap } : undefined);
  if (!files) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return volume.emptyDir
      ? { ok: folder }
      : {
          waiting: `volume "${volume.name}" has a type that the embedded cluster does not know: use emptyDir, secret, configMap or persistentVolumeClaim`,
        };
  }
  const data = lookup(files.kind, files.name);
  if (!data && files.optional !== true) return { waiting: `${files.kind.toLowerCase()} "${files.name}" not found` };
  const items = files.items ?? [...(data?.keys() ?? [])].map((key) => ({ key, path: key }));
  const lost = items.find(
    ({ key, path }) => !data?.has(key) || normalize(path).startsWith('..') || path.startsWith('/'),
  );
  if (lost && files.optional !== true)
    return { waiting: `${files.kind.toLowerCase()} "${files.name}" has no usable item ${lost.key}` };
  writeFiles(
    folder,
    items.flatMap(({ key, path }) => (data?.has(key) ? [[path, data.get(key) ?? Buffer.alloc(0)] as const] : [])),
  );
  return { ok: folder };
}

/** Written beside and renamed over, so that nobody sees half of it. */
function writeFiles(folder: string, files: readonly (readonly [path: string, content: Buffer])[]): void {
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true, mode: 0o700 });
  for (const [path, content] of files) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), content, { mode: 0o600 });
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
  chmodSync(folder, 0o700);
}
