import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { FairwayError, redact } from '@fairway/core';
import { endGroup, type Program } from './process.ts';

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';
type Answer = ObjectInfo & { readonly bytes: Buffer };
export type ObjectInfo = { readonly id: string; readonly type: ObjectType; readonly size: number };

/**
 * Objects by name (`<id>`, `<id>:<path>`, `<id>^{tree}`) through one long-lived `git cat-file`: 0.1 ms each, where a
 * process of its own costs 5 ms. An object that was written or fetched meanwhile is seen.
 */
export type ObjectReader = {
  info(name: string): Promise<ObjectInfo | undefined>;
  /** Refuses what is larger than `maxBytes` in a sentence that calls it `title`. */
  contents(name: string, maxBytes: number, title?: string): Promise<Answer | undefined>;
  /** The folder was made anew. */
  renew(): void;
  close(): Promise<void>;
};

type Asked = {
  readonly command: 'info' | 'contents';
  readonly name: string;
  /** Contents that are longer are not kept. */
  readonly maxBytes: number;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
};

const HEADER = /^([0-9a-f]{40}|[0-9a-f]{64}) (blob|tree|commit|tag) (\d+)$/;

/**
 * Nothing is started before the first question. `onWords` hears what git complains of: a damaged pack makes objects
 * "missing", and only the complaint tells why.
 */
export function objectReader(
  git: Pick<Program, 'start'>,
  folder: string,
  onWords: (words: string) => void,
): ObjectReader {
  const line = waitingLine();
  let child: ChildProcessWithoutNullStreams | undefined;
  let closed = false;

  const start = () => {
    const mine = catFile(git, folder, line, (words) => child === mine && onWords(words));
    child = mine;
    mine.once('close', () => {
      if (child !== mine) return;
      child = undefined;
      if (closed) line.failAll(closedError());
      else if (line.first() !== undefined) start();
    });
    for (const each of line.all()) ask(mine, each);
  };
  const question = (command: Asked['command'], name: string, maxBytes = 0): Promise<Answer | undefined> => {
    // A line is a question: a name with a line break in it names nothing that we ever wrote.
    if (/[\n\0]/.test(name)) return Promise.resolve(undefined);
    if (closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const one = line.add({ command, name, maxBytes, resolve, reject, deaths: 0 });
      if (child === undefined) start();
      else ask(child, one);
    });
  };
  return {
    info: (name) => question('info', name),
    contents: async (name, maxBytes, title = name) => {
      const found = await question('contents', name, maxBytes);
      if (found !== undefined && found.size > maxBytes) throw tooLarge(title, found.size, maxBytes);
      return found;
    },
    renew: () => {
      if (child !== undefined) endGroup(child);
    },
    close: async () => {
      closed = true;
      if (child !== undefined) await ended(child);
    },
  };
}

/** Questions that wait for their answers, in the order in which git answers them. */
function waitingLine() {
  let asked: Asked[] = [];
  return {
    all: () => asked,
    first: () => asked[0],
    add: (one: Asked): Asked => {
      asked.push(one);
      return one;
    },
    answer: (answer: Answer | undefined) => asked.shift()?.resolve(answer),
    failFirst: (error: FairwayError) => asked.shift()?.reject(error),
    failAll: (error: FairwayError) => {
      const all = asked;
      asked = [];
      for (const { reject } of all) reject(error);
    },
  };
}

/** Questions that come together go in one write: each of its own costs more than git's answer. */
function ask({ stdin }: ChildProcessWithoutNullStreams, { command, name }: Asked): void {
  if (stdin.writableCorked === 0) {
    stdin.cork();
    process.nextTick(() => stdin.uncork());
  }
  stdin.write(`${command} ${name}\n`);
}

function catFile(
  git: Pick<Program, 'start'>,
  folder: string,
  line: ReturnType<typeof waitingLine>,
  onWords: (words: string) => void,
): ChildProcessWithoutNullStreams {
  const child = git.start(folder, ['cat-file', '--batch-command']);
  let words = '';
  child.stdout.on('data', answers(line.answer, line.first));
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-4_096);
    onWords(words);
  });
  child.once('error', (error) => {
    line.failAll(new FairwayError('git.unavailable', `git cannot be run: ${error.message}.`, { cause: error }));
  });
  child.once('close', () => {
    // The first that waits was being answered: it alone may be what kills the reader.
    const first = line.first();
    if (first === undefined) return;
    first.deaths += 1;
    if (first.deaths < 2) return;
    const reason = redact(words.trim().split('\n').at(-1) ?? '') || 'git gave no reason';
    line.failFirst(new FairwayError('git.unavailable', `The Git mirror cannot be read: ${reason}`));
  });
  return child;
}

/** Ends a reader that has nothing to do, or does not end by itself. */
const ended = (child: ChildProcessWithoutNullStreams): Promise<void> =>
  new Promise((resolve) => {
    child.once('close', () => resolve());
    child.stdin.end();
    setTimeout(() => endGroup(child), 2_000).unref();
  });

const closedError = () => new FairwayError('git.unavailable', 'The Git mirror is closed, because the writer stops.');

function tooLarge(title: string, size: number, max: number): FairwayError {
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return new FairwayError(
    'input.invalid',
    `${title} has ${mib(size)} in the GitOps repository; Fairway reads up to ${mib(max)}. Move it elsewhere.`,
  );
}

/** Splits what `cat-file` prints into answers. Chunks are joined only when an answer is complete; what is too long is passed over. */
function answers(give: (answer: Answer | undefined) => void, expected: () => Asked | undefined) {
  let chunks: Buffer[] = [];
  let length = 0;
  let needed = 0;
  let over = 0;
  const take = (): boolean => {
    const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    chunks = [all];
    const end = all.indexOf(0x0a);
    if (end < 0) return false;
    const header = HEADER.exec(all.toString('utf8', 0, end));
    const asked = expected();
    const size = header === null || asked?.command === 'info' ? -1 : Number(header[3]);
    const total = size < 0 ? end + 1 : end + 1 + size + 1;
    const isTooLong = size > (asked?.maxBytes ?? 0);
    needed = total;
    if (length < total && !isTooLong) return false;
    // A copy: the chunk that it is cut from may be many times larger and would live as long.
    const bytes = size < 0 || isTooLong ? Buffer.alloc(0) : Buffer.from(all.subarray(end + 1, end + 1 + size));
    over = Math.max(0, total - length);
    chunks = [all.subarray(total)];
    length = Math.max(0, length - total);
    needed = 0;
    give(
      header === null
        ? undefined
        : { id: header[1] as string, type: header[2] as ObjectType, size: Number(header[3]), bytes },
    );
    return true;
  };
  return (printed: Buffer) => {
    const chunk = printed.subarray(over);
    over -= printed.length - chunk.length;
    // An empty part would keep the memory of all that was passed over.
    if (chunk.length === 0) return;
    chunks.push(chunk);
    length += chunk.length;
    let taken = length >= needed;
    while (taken) taken = length > 0 && take();
  };
}
