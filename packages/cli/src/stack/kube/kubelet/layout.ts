import { join } from 'node:path';
import type { KubeObject } from '../objects.ts';

/** Where the kubelet keeps what belongs to one pod; the uid makes it unique for ever. */
export const podDir = (dataDir: string, { metadata: { namespace, name, uid } }: KubeObject): string =>
  join(dataDir, 'pods', `${namespace}_${name}_${uid}`);

/** Standard output and error of a container, over all its restarts. */
export const logFile = (dataDir: string, pod: KubeObject, container: string): string =>
  join(podDir(dataDir, pod), `${container}.log`);
