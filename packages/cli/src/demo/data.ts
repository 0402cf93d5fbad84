import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FairwayError } from '@fairway/core';
import { generateQuarter, generateTraining, type Loan, readLoans } from '@fairway/example-home-equity';

/** The rows of the story: what the first model is trained on, and the quarters it then meets. */
export type StoryData = {
  readonly source: string;
  readonly training: readonly Loan[];
  readonly quarters: ReadonlyArray<readonly Loan[]>;
  /** Periods kept free for playing the last quarter again, should the data hold none for the retrained model. */
  readonly spare: 0 | 1;
};

const QUARTERS = 5;

/** Home-equity loans from our own seeded generator. */
export function generatedData(seed: number): StoryData {
  return {
    source: `generated loans, seed ${seed}`,
    training: generateTraining(seed),
    quarters: Array.from({ length: QUARTERS }, (_, k) => generateQuarter(seed, k + 1)),
    spare: 0,
  };
}

/** CSV files: `train.csv` and the quarters `perf_*.csv` in the natural order of their names. */
export function folderData(dir: string): StoryData {
  const at = resolve(dir);
  if (!existsSync(at) || !statSync(at).isDirectory()) {
    throw new FairwayError(
      'input.invalid',
      `There is no folder ${at}: --data needs a folder with train.csv and perf_*.csv.`,
    );
  }
  const files = readdirSync(at)
    .filter((name) => /^perf_.*\.csv$/i.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const missing = [
    ...(existsSync(join(at, 'train.csv')) ? [] : ['train.csv']),
    ...(files.length === 0 ? ['perf_*.csv'] : []),
  ];
  if (missing.length > 0)
    throw new FairwayError(
      'input.invalid',
      `The folder ${at} lacks ${missing.join(' and ')}: "fairway demo --help" tells the layout.`,
    );
  return {
    source: `${at}: train.csv, ${files.join(', ')}`,
    training: readLoans(join(at, 'train.csv')),
    quarters: files.map((file) => readLoans(join(at, file))),
    spare: 1,
  };
}
