import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../objects.ts';
import { refusal } from '../refusal.ts';
import { setOwn } from './merge.ts';

type Operation = { readonly op: string; readonly path: string; readonly from?: string; readonly value?: unknown };

/** RFC 6902. A failing test or a path that is not there is refused as a whole. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw refusal('BadRequest', 'A JSON patch must be a list of operations.');
  return (operations as Operation[]).reduce(applyOperation, structuredClone(target));
}

function applyOperation(target: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
    case 'replace':
      return edit(target, pointer(path), { op, value: structuredClone(value) });
    case 'remove':
      return edit(target, pointer(path), { op });
    case 'copy':
      return edit(target, pointer(path), { op: 'add', value: structuredClone(read(target, pointer(from ?? ''))) });
    case 'move':
      return edit(edit(target, pointer(from ?? ''), { op: 'remove' }), pointer(path), {
        op: 'add',
        value: read(target, pointer(from ?? '')),
      });
    case 'test':
      if (isDeepStrictEqual(read(target, pointer(path)), value)) return target;
      throw refusal(
        'Invalid',
        `the server rejected our request due to an error in our request: testing path ${path} failed`,
      );
    default:
      throw refusal('BadRequest', `${JSON.stringify(op)} is not an operation of a JSON patch.`);
  }
}

const pointer = (path: string): string[] =>
  path === ''
    ? []
    : path
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const missing = (key: string | undefined): never => {
  throw refusal(
    'Invalid',
    `the server rejected our request due to an error in our request: the path ends at ${JSON.stringify(key)}, which is not there`,
  );
};

function read(target: unknown, path: readonly string[]): unknown {
  let value = target;
  for (const key of path) {
    const inside = Array.isArray(value)
      ? value[Number(key)]
      : isRecord(value) && Object.hasOwn(value, key)
        ? value[key]
        : undefined;
    value = inside === undefined ? missing(key) : inside;
  }
  return value;
}

type Edit = { readonly op: 'add' | 'replace'; readonly value: unknown } | { readonly op: 'remove' };

function edit(target: unknown, path: readonly string[], change: Edit): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change.op === 'remove' ? missing(key) : change.value;
  if (Array.isArray(target)) return editList(target, key, rest, change);
  if (!isRecord(target)) return missing(key);
  const out: Record<string, unknown> = { ...target };
  const known = Object.hasOwn(out, key);
  if (rest.length > 0) setOwn(out, key, edit(known ? out[key] : missing(key), rest, change));
  else if (change.op === 'remove') delete (known ? out : missing(key))[key];
  else setOwn(out, change.op === 'replace' && !known ? missing(key) : key, change.value);
  return out;
}

function editList(target: readonly unknown[], key: string, rest: readonly string[], change: Edit): unknown[] {
  const index = key === '-' ? target.length : Number(key);
  const last = change.op === 'add' && rest.length === 0 ? target.length : target.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > last) return missing(key);
  if (rest.length > 0) return target.with(index, edit(target[index], rest, change));
  if (change.op === 'remove') return target.toSpliced(index, 1);
  return change.op === 'add' ? target.toSpliced(index, 0, change.value) : target.with(index, change.value);
}
