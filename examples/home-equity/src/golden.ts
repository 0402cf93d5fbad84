import { INPUTS, type InputName, type Loan } from './columns.ts';

type Applicant = { readonly name: string } & Partial<Loan>;

/**
 * People who do not exist: golden cases end in Git, where no customer's data belongs. Each version answers about the same ones,
 * so that a pull request shows what it thinks of them. What is not said is missing.
 */
const APPLICANTS: readonly Applicant[] = [
  { name: 'nothing is known' },
  {
    name: 'long and good history',
    ...{ LOAN: 25_000, MORTDUE: 60_000, VALUE: 120_000, REASON: 'DebtCon', JOB: 'ProfExe', YOJ: 12, DEROG: 0 },
    ...{ DELINQ: 0, CLAGE: 260, NINQ: 0, CLNO: 22, DEBTINC: 31.5 },
  },
  {
    name: 'several delinquencies',
    ...{ LOAN: 6_000, MORTDUE: 45_000, VALUE: 58_000, REASON: 'DebtCon', JOB: 'Other', YOJ: 3, DEROG: 3 },
    ...{ DELINQ: 6, CLAGE: 80, NINQ: 5, CLNO: 19, DEBTINC: 44 },
  },
  {
    name: 'debt ratio is missing',
    ...{ LOAN: 12_000, MORTDUE: 70_000, VALUE: 92_000, REASON: 'HomeImp', JOB: 'Sales', YOJ: 1.5, DEROG: 1 },
    ...{ DELINQ: 2, CLAGE: 110, NINQ: 2, CLNO: 25 },
  },
  {
    name: 'debt ratio is extreme',
    ...{ LOAN: 15_000, MORTDUE: 80_000, VALUE: 101_000, REASON: 'DebtCon', JOB: 'Mgr', YOJ: 7, DEROG: 0 },
    ...{ DELINQ: 0, CLAGE: 170, NINQ: 1, CLNO: 20, DEBTINC: 200 },
  },
  {
    name: 'trade that nobody has heard of',
    ...{ LOAN: 18_500, MORTDUE: 54_000, VALUE: 77_500, REASON: 'HomeImp', JOB: 'Astronaut', YOJ: 9, DEROG: 0 },
    ...{ DELINQ: 1, CLAGE: 190, NINQ: 1, CLNO: 17, DEBTINC: 33 },
  },
];

/** Where the class turns: so near to it, the last digit of a probability decides. */
const THRESHOLD = 0.5;
const MARGIN = 0.001;

/** golden.jsonl of a version, from its own predictions: what serves must answer as the trained model does. */
export function goldenCases(predict: (loans: readonly Loan[]) => ArrayLike<number>): string {
  const scores = predict(APPLICANTS.map(loanOf));
  return APPLICANTS.map((applicant, i) => `${goldenCase(applicant, scores[i] ?? Number.NaN)}\n`).join('');
}

const loanOf = ({ name: _, ...known }: Applicant): Loan => {
  const missing = Object.fromEntries(INPUTS.map((input) => [input, null])) as Record<InputName, null>;
  return { ...missing, BAD: 0, ...known } as Loan;
};

function goldenCase(applicant: Applicant, score: number): string {
  const cells = INPUTS.map((input) => `${JSON.stringify(input)}:${cell(input, loanOf(applicant)[input])}`);
  // Seven digits are what a float holds.
  const outputs = {
    P_BAD1: [Number(score.toPrecision(7))],
    ...(Math.abs(score - THRESHOLD) < MARGIN ? {} : { I_BAD: [score >= THRESHOLD ? 1 : 0] }),
  };
  const name = JSON.stringify(applicant.name);
  return `{"name":${name},"instances":[{${cells.join(',')}}],"outputs":${JSON.stringify(outputs)}}`;
}

/** As the model takes what is missing: NaN, which TensorFlow Serving reads bare, or an empty text. */
const cell = (input: InputName, value: string | number | null): string =>
  input === 'REASON' || input === 'JOB' ? JSON.stringify(value ?? '') : String(value ?? Number.NaN);
