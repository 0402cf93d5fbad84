import { closeSync, openSync, writeSync } from 'node:fs';

/** Deterministic numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const JOBS = ['Mgr', 'Office', 'Other', 'ProfExe', 'Sales', 'Self'];
const REASONS = ['DebtCon', 'HomeImp'];
/** Rows that are written at once. */
const BATCH = 4096;

export const COLUMNS = 'BAD,LOAN,MORTDUE,VALUE,REASON,JOB,YOJ,DEROG,DELINQ,CLAGE,NINQ,CLNO,DEBTINC,SCORE';

/**
 * A table like the public home-equity data: label, ten numeric inputs (full double digits, counts, 5 % missing), two
 * categories, and a score with as many values as there are rows. `shift` moves two inputs.
 */
export function writeTable(file: string, rows: number, seed: number, shift = 0): void {
  const random = seeded(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const number = (value: number) => (random() < 0.05 ? '' : String(value));
  const count = (mean: number) => (random() < 0.05 ? '' : String(Math.floor(-Math.log(1 - random()) * mean)));
  const one = (of: readonly string[]) => (random() < 0.05 ? '' : (of[Math.floor(random() * of.length)] ?? ''));
  const out = openSync(file, 'w');
  writeSync(out, `${COLUMNS}\n`);
  for (let at = 0; at < rows; at += BATCH) {
    const lines: string[] = [];
    for (let row = at; row < Math.min(rows, at + BATCH); row++) {
      const risk = normal();
      const score = 1 / (1 + Math.exp(1.4 - risk));
      const loan = Math.round(Math.exp(9.7 + 0.5 * normal() - shift) / 100) * 100;
      const values = [number(73_000 + 40_000 * normal()), number(Math.exp(11.4 + 0.5 * normal() - shift))];
      const counts = [count(8.9), count(0.3), count(0.5)];
      const more = [number(180 + 86 * normal()), count(1.2), count(21), number(34 + 8.8 * normal())];
      lines.push(
        [random() < score ? 1 : 0, loan, ...values, one(REASONS), one(JOBS), ...counts, ...more, score].join(),
      );
    }
    writeSync(out, `${lines.join('\n')}\n`);
  }
  closeSync(out);
}
