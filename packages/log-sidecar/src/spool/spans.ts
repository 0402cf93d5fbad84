import type { Span } from '../ports.ts';

/** What consecutive spans share. `from`: the first of them. */
type Run = Pick<Span, 'version' | 'source' | 'label'> & { readonly from: number };

const NUMBERS = 3;
const SMALLEST = 64 * NUMBERS;

/**
 * Spans in their order, as plain numbers: they live for seconds, and so would an object for each. Memory that is used again takes
 * them: an array that grows is thrown away at each step, and what is thrown away so late has to be collected among all that is old.
 */
export class Spans implements Iterable<Span> {
  private numbers = new Float64Array(0);
  private length = 0;
  private readonly runs: Run[] = [];

  add(span: Span): void {
    const at = this.length;
    this.begin(span, at);
    this.room(at + NUMBERS);
    const { numbers } = this;
    numbers[at] = span.seq;
    numbers[at + 1] = span.startedAt;
    numbers[at + 2] = span.endedAt;
    this.length = at + NUMBERS;
  }

  /** What comes behind them, without an object for each. */
  addAll({ numbers, length, runs }: Spans): void {
    const from = this.length;
    for (const run of runs) this.begin(run, from + run.from);
    this.room(from + length);
    this.numbers.set(length === numbers.length ? numbers : numbers.subarray(0, length), from);
    this.length = from + length;
  }

  clear(): void {
    this.length = 0;
    this.runs.length = 0;
  }

  private room(wanted: number): void {
    if (wanted <= this.numbers.length) return;
    const grown = new Float64Array(Math.max(wanted, 2 * this.numbers.length, SMALLEST));
    grown.set(this.numbers);
    this.numbers = grown;
  }

  private begin({ version, source, label }: Omit<Run, 'from'>, from: number): void {
    const last = this.runs.at(-1);
    if (last?.version === version && last.source === source && last.label === label) return;
    this.runs.push({ version, source, label, from });
  }

  *[Symbol.iterator](): Iterator<Span> {
    const { numbers, length, runs } = this;
    for (const [i, { from, version, source, label }] of runs.entries()) {
      const to = runs[i + 1]?.from ?? length;
      for (let at = from; at < to; at += NUMBERS) {
        const [seq, startedAt, endedAt] = [numbers[at], numbers[at + 1], numbers[at + 2]] as [number, number, number];
        yield { seq, startedAt, endedAt, version, source, ...(label === undefined ? {} : { label }) };
      }
    }
  }
}
