import type { Span } from '../ports.ts';

/** What consecutive spans share. `from`: the first of them. */
type Run = Pick<Span, 'version' | 'source' | 'label'> & { readonly from: number };

/** Spans in their order, as plain numbers: they live for seconds, and so would an object for each. */
export class Spans implements Iterable<Span> {
  private readonly numbers: number[] = [];
  private readonly runs: Run[] = [];

  add(span: Span): void {
    this.begin(span, this.numbers.length);
    this.numbers.push(span.seq, span.startedAt, span.endedAt);
  }

  /** What comes behind them, without an object for each. */
  addAll({ numbers, runs }: Spans): void {
    const from = this.numbers.length;
    for (const run of runs) this.begin(run, from + run.from);
    for (const number of numbers) this.numbers.push(number);
  }

  private begin({ version, source, label }: Omit<Run, 'from'>, from: number): void {
    const last = this.runs.at(-1);
    if (last?.version === version && last.source === source && last.label === label) return;
    this.runs.push({ version, source, label, from });
  }

  *[Symbol.iterator](): Iterator<Span> {
    const { numbers, runs } = this;
    for (const [i, { from, version, source, label }] of runs.entries()) {
      const to = runs[i + 1]?.from ?? numbers.length;
      for (let at = from; at < to; at += 3) {
        const [seq, startedAt, endedAt] = [numbers[at], numbers[at + 1], numbers[at + 2]] as [number, number, number];
        yield { seq, startedAt, endedAt, version, source, ...(label === undefined ? {} : { label }) };
      }
    }
  }
}
