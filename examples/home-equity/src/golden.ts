import { INPUTS, type InputName, type Loan } from './columns.ts';

/** A name, then the inputs in their order; null is missing. */
type Applicant = readonly [name: string, ...inputs: ReadonlyArray<number | string | null>];

/**
 * People who do not exist: golden cases end in Git, where no customer's data belongs. Each version answers about the same ones,
 * so that a pull request shows what it thinks of them.
 */
const APPLICANTS: readonly Applicant[] = [
  ['nothing is known', ...INPUTS.map(() => null)],
  ['long and good history', 25_000, 60_000, 120_000, 'DebtCon', 'ProfExe', 12, 0, 0, 260, 0, 22, 31.5],
  ['several delinquencies', 6_000, 45_000, 58_000, 'DebtCon', 'Other', 3, 3, 6, 80, 5, 19, 44],
  ['debt ratio is missing', 12_000, 70_000, 92_000, 'HomeImp', 'Sales', 1.5, 1, 2, 110, 2, 25, null],
  ['debt ratio is extreme', 15_000, 80_000, 101_000, 'DebtCon', 'Mgr', 7, 0, 0, 170, 1, 20, 200],
  ['trade that nobody has heard of', 18_500, 54_000, 77_500, 'HomeImp', 'Astronaut', 9, 0, 1, 190, 1, 17, 33],
];

/** Where the class turns: so near to it, the last digit of a probability decides. */
const THRESHOLD = 0.5;
const MARGIN = 0.001;

/** golden.jsonl of a version, from its own predictions: what serves must answer as the trained model does. */
export function goldenCases(predict: (loans: readonly Loan[]) => ArrayLike<number>): string {
  const scores = predict(APPLICANTS.map(loanOf));
  return APPLICANTS.map((applicant, i) => `${goldenCase(applicant, scores[i] ?? Number.NaN)}\n`).join('');
}

const loanOf = ([, ...inputs]: Applicant): Loan =>
  ({ BAD: 0, ...Object.fromEntries(INPUTS.map((input, i) => [input, inputs[i] ?? null])) }) as Loan;

function goldenCase(applicant: Applicant, score: number): string {
  const loan = loanOf(applicant);
  const cells = INPUTS.map((input) => `${JSON.stringify(input)}:${cell(input, loan[input])}`);
  // Seven digits are what a float holds.
  const outputs = {
    P_BAD1: [Number(score.toPrecision(7))],
    ...(Math.abs(score - THRESHOLD) < MARGIN ? {} : { I_BAD: [score >= THRESHOLD ? 1 : 0] }),
  };
  const name = JSON.stringify(applicant[0]);
  return `{"name":${name},"instances":[{${cells.join(',')}}],"outputs":${JSON.stringify(outputs)}}`;
}

/** As the model takes what is missing: NaN, which TensorFlow Serving reads bare, or an empty text. */
const cell = (input: InputName, value: string | number | null): string =>
  input === 'REASON' || input === 'JOB' ? JSON.stringify(value ?? '') : String(value ?? Number.NaN);
