import { imageError } from './errors.ts';

/** `name`: as it was given, e.g. `registry.example.com/models/home-equity`; `host` and `path` as a registry knows it. */
export type ImageName = { readonly name: string; readonly host: string; readonly path: string };
export type Reference = { readonly name: string; readonly tag?: string; readonly digest?: string };

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const TAG = /^\w[\w.-]{0,127}$/;
/** Grammar of repository names (distribution-spec, "Pulling manifests"). */
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);
export const isTag = (text: string): boolean => TAG.test(text);

/** The host when the name begins with one, as Docker decides it: a dot, a colon, or `localhost`. */
export function hostOf(name: string): string | undefined {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' ? first : undefined;
}

/** Splits a name into the registry and the path there; without a host it is one of Docker Hub. */
export function imageName(name: string): ImageName {
  const host = hostOf(name);
  const path = host === undefined ? (name.includes('/') ? name : `library/${name}`) : name.slice(host.length + 1);
  if (path.length > 255 || !PATH.test(path) || (host !== undefined && !HOST.test(host))) {
    throw imageError(
      `${JSON.stringify(name)} is no image name; write it as registry.example.com/path/name, in lower case.`,
    );
  }
  return { name, host: host ?? 'docker.io', path };
}

/** Reads `name@sha256:…`, `name:tag` or both; a digest wins where it is given. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const before = at < 0 ? text : text.slice(0, at);
  const colon = before.lastIndexOf(':');
  const hasTag = colon > before.lastIndexOf('/');
  const tag = hasTag ? before.slice(colon + 1) : undefined;
  const name = hasTag ? before.slice(0, colon) : before;
  const isUsable = (digest ?? tag) !== undefined && isDigestOrNone(digest) && (tag === undefined || isTag(tag));
  if (!isUsable || name === '') {
    throw imageError(
      `${JSON.stringify(text)} is no image reference; write it as name@sha256:<64 hex digits> or name:tag.`,
    );
  }
  return { name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

const isDigestOrNone = (digest: string | undefined): boolean => digest === undefined || isDigest(digest);

/** 127.0.0.0/8, ::1 and localhost: what never leaves the machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/:\d+$/, '');
  return bare === 'localhost' || bare === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}
