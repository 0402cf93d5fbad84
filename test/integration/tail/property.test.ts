import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWorld, csvRow, eventually, HEADER, range, type Running, type World } from './world.ts';

const STEPS = [
  'append',
  'append',
  'append',
  'half',
  'rename',
  'copytruncate',
  'gzip',
  'stop',
  'crash',
  'away',
  'settle',
] as const;
type Step = { readonly kind: (typeof STEPS)[number]; readonly rows: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...STEPS),
  rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 400, max: 1100 })),
});

/** A log, its writer, and a tail that is stopped, killed and left without a queue. */
class Play {
  readonly expected: number[] = [];
  private readonly world: World;
  private readonly live: string;
  private running: Running | undefined;
  private next = 0;
  private half: number | undefined;
  private files = 0;
  private readonly plain: string[] = [];

  constructor(world: World) {
    this.world = world;
    this.live = world.path('scores.csv');
    writeFileSync(this.live, HEADER);
  }

  async run(kind: Step['kind'], rows: number): Promise<void> {
    if (kind === 'append') this.append(rows);
    else if (kind === 'half') this.begin();
    else if (kind === 'rename') this.rename();
    else if (kind === 'copytruncate') this.copyTruncate();
    else if (kind === 'gzip') this.gzip();
    else if (kind === 'stop') await this.toggle();
    else if (kind === 'crash') await this.crash(rows);
    else if (kind === 'away') this.away();
    else await this.settle();
  }

  async settle(): Promise<void> {
    this.running ??= await this.world.start('scores*');
    this.running.mood = 'taking';
    const { ledger } = this.world;
    const wanted = this.expected.toSorted((a, b) => a - b);
    await eventually(() => expect(ledger.rows.toSorted((a, b) => a - b)).toEqual(wanted));
    expect(ledger.faults).toEqual([]);
  }

  append(rows: number): void {
    const numbers = range(this.next, this.next + rows);
    this.next += rows;
    const rest = this.half === undefined ? '' : csvRow(this.half).slice(20);
    if (this.half !== undefined) this.expected.push(this.half);
    this.half = undefined;
    appendFileSync(this.live, rest + numbers.map(csvRow).join(''));
    this.expected.push(...numbers);
  }

  private begin(): void {
    if (this.half !== undefined) return;
    this.half = this.next++;
    appendFileSync(this.live, csvRow(this.half).slice(0, 20));
  }

  /** The writer gives up a line that it had begun. */
  private rename(): void {
    this.half = undefined;
    renameSync(this.live, this.rotated());
    writeFileSync(this.live, HEADER);
  }

  /** The writer does not notice: the end of a line that it had begun is the first of the file now. */
  private copyTruncate(): void {
    const rest = this.half === undefined ? '' : csvRow(this.half).slice(20);
    this.half = undefined;
    copyFileSync(this.live, this.rotated());
    truncateSync(this.live);
    appendFileSync(this.live, rest);
  }

  private rotated(): string {
    const path = `${this.live}.${++this.files}`;
    this.plain.push(path);
    return path;
  }

  private gzip(): void {
    const path = this.plain.shift();
    if (path === undefined) return;
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
    rmSync(path);
  }

  private async toggle(): Promise<void> {
    if (this.running === undefined) this.running = await this.world.start('scores*');
    else {
      await this.running.tail.stop();
      this.running = undefined;
    }
  }

  /** Killed after the queue took a pack and before the checkpoint moved. */
  private async crash(rows: number): Promise<void> {
    if (this.running === undefined) return;
    const { running } = this;
    running.mood = 'dead';
    this.append(rows);
    await running.died;
    this.running = undefined;
  }

  private away(): void {
    if (this.running !== undefined) this.running.mood = this.running.mood === 'away' ? 'taking' : 'away';
  }
}

test('whatever becomes of the file and of the tail, every line is recorded once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const world = createWorld();
      try {
        const play = new Play(world);
        play.append(5);
        await play.settle();
        for (const { kind, rows } of steps) await play.run(kind, rows);
        await play.settle();
      } finally {
        await world.remove();
      }
    }),
    { numRuns: 12, seed: 20_261_122, endOnFailure: true },
  );
}, 600_000);
