import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { append, createWorld, csvRow, eventually, HEADER, range, type Running, type World } from './world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
afterEach(() => world.remove());

const sorted = (rows: readonly number[]) => rows.toSorted((a, b) => a - b);

/** The writer of a log: it holds the file open, appends, and rotates it in one way. */
type Writer = {
  write(text: string): void;
  rotate(): void;
  close(): void;
};

type Way = {
  /** Opens the file that the tail is told of. */
  open(world: World): Writer;
  /** The new file begins with a header. */
  readonly hasHeader: boolean;
  /** What was written while nobody read is gone for good: the writer's rotation destroys it. */
  readonly destroys: boolean;
};

const LIVE = 'scores.csv';

function appender(path: string) {
  let fd = openSync(path, 'a');
  return {
    write: (text: string) => void writeSync(fd, text),
    reopen: (next: string, flags: string) => {
      const old = fd;
      fd = openSync(next, flags);
      return () => closeSync(old);
    },
    close: () => closeSync(fd),
  };
}

/** Rotations after which the writer still has the old file open, as one that is told by a signal. */
function renaming(rotate: (path: string) => void): Way['open'] {
  return ({ path }) => {
    const file = appender(path(LIVE));
    let closeOld = () => {};
    return {
      write: file.write,
      rotate: () => {
        rotate(path(LIVE));
        closeOld = file.reopen(path(LIVE), 'a');
      },
      close: () => {
        closeOld();
        file.close();
      },
    };
  };
}

const WAYS: Record<string, Way> = {
  rename: { open: renaming((path) => renameSync(path, `${path}.1`)), hasHeader: true, destroys: false },
  copytruncate: {
    open: ({ path }) => {
      const { write, close } = appender(path(LIVE));
      const rotate = () => {
        copyFileSync(path(LIVE), `${path(LIVE)}.1`);
        truncateSync(path(LIVE));
      };
      return { write, rotate, close };
    },
    hasHeader: false,
    destroys: false,
  },
  'delete and create': { open: renaming((path) => rmSync(path)), hasHeader: true, destroys: true },
  'rename and gzip': {
    open: renaming((path) => {
      renameSync(path, `${path}.1`);
      writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)));
      rmSync(`${path}.1`);
    }),
    hasHeader: true,
    destroys: false,
  },
  'truncate and regrow': {
    open: ({ path }) => {
      const { write, close } = appender(path(LIVE));
      return { write, rotate: () => truncateSync(path(LIVE)), close };
    },
    hasHeader: false,
    destroys: true,
  },
  'symlink switch': {
    open: ({ path }) => {
      writeFileSync(path('scores-1.log'), '');
      symlinkSync(path('scores-1.log'), path(LIVE));
      const file = appender(path('scores-1.log'));
      let closeOld = () => {};
      return {
        write: file.write,
        rotate: () => {
          closeOld = file.reopen(path('scores-2.log'), 'a');
          symlinkSync(path('scores-2.log'), path('next'));
          renameSync(path('next'), path(LIVE));
        },
        close: () => {
          closeOld();
          file.close();
        },
      };
    },
    hasHeader: true,
    destroys: false,
  },
};

const lines = (from: number, to: number) => range(from, to).map(csvRow).join('');

/** Rows that are written after the rotation: enough to grow beyond where the tail had been. */
const AFTER = [5000, 6500] as const;

function afterRotation({ hasHeader }: Way, writer: Writer, first = ''): void {
  writer.write(`${first}${hasHeader ? HEADER : ''}${lines(...AFTER)}`);
}

async function expectRows(expected: readonly number[]): Promise<void> {
  await eventually(() => expect(sorted(world.ledger.rows)).toEqual(sorted(expected)));
  expect(world.ledger.faults).toEqual([]);
}

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  describe.each(['scores.csv', 'scores*'])('told of %s', (files) => {
    async function begun(rows: number): Promise<{ writer: Writer; running: Running }> {
      const writer = way.open(world);
      writer.write(HEADER + lines(0, 30));
      const running = await world.start(files);
      await expectRows(range(0, 30));
      if (rows > 30) writer.write(lines(30, rows));
      return { writer, running };
    }

    test('idle', async () => {
      const { writer, running } = await begun(30);
      writer.rotate();
      afterRotation(way, writer);
      await expectRows([...range(0, 30), ...range(...AFTER)]);
      await eventually(() => expect(running.tail.state().bytesBehind).toBe(0));
      expect(running.counts.refused).toEqual({});
      writer.close();
    });

    test('in the middle of a line', async () => {
      const { writer, running } = await begun(30);
      const half = csvRow(999);
      writer.write(half.slice(0, 20));
      await eventually(() => expect(running.tail.state().bytesBehind).toBe(0 + 20));
      writer.rotate();
      // The other half goes where the writer writes now: in front of all else where the file is the same.
      afterRotation(way, writer, way.hasHeader ? '' : half.slice(20));
      await expectRows([...range(0, 30), ...range(...AFTER)]);
      writer.close();
    });

    test('in the middle of a pack, while the queue is away', async () => {
      const { writer, running } = await begun(30);
      running.mood = 'away';
      writer.write(lines(30, 700));
      await eventually(() => expect(running.counts.failures).toBeGreaterThan(0));
      writer.rotate();
      afterRotation(way, writer);
      await eventually(() => expect(running.tail.flowing).toBe(false));
      running.mood = 'taking';
      const first = [...range(0, 700), ...range(...AFTER)];
      // Of a file that is cut to nothing without a copy only the pack is left that was being sent.
      const isCut = way.destroys && !way.hasHeader;
      await expectRows(isCut ? [...range(0, 530), ...range(...AFTER)] : first);
      writer.close();
    });

    test('while the tail is stopped', async () => {
      const { writer, running } = await begun(30);
      await running.tail.stop();
      writer.write(lines(30, 1300));
      writer.rotate();
      afterRotation(way, writer);
      await world.start(files);
      await expectRows([...range(0, way.destroys ? 30 : 1300), ...range(...AFTER)]);
      writer.close();
    });

    test('after it was killed between sending and checkpoint', async () => {
      const { writer, running } = await begun(30);
      running.mood = 'dead';
      writer.write(lines(30, 700));
      await running.died;
      const sent = world.ledger.rows.length;
      writer.rotate();
      afterRotation(way, writer);
      await world.start(files);
      await expectRows([...range(0, way.destroys ? sent : 700), ...range(...AFTER)]);
      writer.close();
    });
  });
});

test('a file that is replaced by a longer copy of itself goes on where it was', async () => {
  const path = world.path(LIVE);
  writeFileSync(path, HEADER + lines(0, 100));
  await world.start(LIVE);
  await expectRows(range(0, 100));
  writeFileSync(world.path('.next'), HEADER + lines(0, 150));
  renameSync(world.path('.next'), path);
  await expectRows(range(0, 150));
  append(path, range(150, 160));
  await expectRows(range(0, 160));
});

test('what is left of a deleted file without a line end is counted', async () => {
  const path = world.path(LIVE);
  writeFileSync(path, HEADER + lines(0, 3));
  const { counts } = await world.start(LIVE);
  await expectRows(range(0, 3));
  appendFileSync(path, csvRow(3).trimEnd());
  rmSync(path);
  await eventually(() => expect(counts.refused).toEqual({ tail_unfinished: 1 }));
  expect(world.ledger.dropped()).toEqual({ tail_unfinished: 1 });
  expect(counts).toMatchObject({ rows: 4, sent: 3 });
});

test('a state folder that is lost costs no duplicates', async () => {
  writeFileSync(world.path(LIVE), HEADER + lines(0, 1200));
  const running = await world.start(LIVE);
  await expectRows(range(0, 1200));
  await running.tail.stop();
  rmSync(world.path('state'), { recursive: true });
  const packs = [...world.ledger.packs.keys()];
  const again = await world.start(LIVE);
  await eventually(() => expect(again.counts.rows).toBe(1200));
  expect([...world.ledger.packs.keys()]).toEqual(packs);
});
