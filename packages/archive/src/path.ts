/** A path inside an archive, or why it is none. Ends with `/` in the archive: a folder. The root itself is ''. */
export type EntryPath = { readonly path: string; readonly folder: boolean };
export type Wrong = { readonly wrong: string };

/** Longest name of one file on the file systems that matter (ext4, xfs, overlayfs, tmpfs), in bytes. */
const NAME_BYTES = 255;
const NAMED_AGAIN = 'pack the files again with plain relative names';

/** The path that these bytes of an archive mean. `limit`: bytes of a path. */
export function entryPath(raw: Buffer, limit: number): EntryPath | Wrong {
  if (raw.length > limit + 3)
    return wrong(`has a path of ${raw.length} bytes, more than the ${limit} that are allowed`);
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return wrong('has a name that is not UTF-8; pack it with a tool that writes names as UTF-8');
  }
  return checkedPath(name, limit);
}

function checkedPath(name: string, limit: number): EntryPath | Wrong {
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name))
    return wrong(`has control or invisible characters in its name; ${NAMED_AGAIN}`);
  if (name.includes('\\')) return wrong('has a backslash in its name; pack it with a tool that parts folders by "/"');
  if (name.startsWith('/')) return wrong(`has an absolute path; ${NAMED_AGAIN}`);
  if (/^[A-Za-z]:/.test(name)) return wrong(`has a drive letter in its path; ${NAMED_AGAIN}`);
  const folder = name.endsWith('/');
  // `tar -C folder .` begins every name with "./"; the folder itself is "./".
  const path = name.replace(/^\.\//, '').replace(/\/$/, '');
  if (path === '' && folder) return { path, folder };
  const segments = path.split('/');
  if (segments.includes('..')) return wrong(`climbs out of its folder by ".."; ${NAMED_AGAIN}`);
  if (segments.includes('') || segments.includes('.'))
    return wrong(`has an empty part or a "." in its path; ${NAMED_AGAIN}`);
  if (segments.some((segment) => Buffer.byteLength(segment) > NAME_BYTES))
    return wrong(`has a name of more than ${NAME_BYTES} bytes; shorten it`);
  if (Buffer.byteLength(path) > limit) return wrong(`has a path of more than ${limit} bytes; shorten it`);
  return { path, folder };
}

const wrong = (sentence: string): Wrong => ({ wrong: sentence });

/**
 * What macOS adds on its own: its copies of attributes (`__MACOSX/`, `._name`) and the Finder's `.DS_Store`. They are no part of
 * a model, and with them the same model would have another digest when it was packed on another machine.
 */
export const isJunk = (path: string): boolean =>
  path.split('/').some((segment) => segment === '__MACOSX' || segment === '.DS_Store' || segment.startsWith('._'));
