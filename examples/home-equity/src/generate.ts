import type { InputName, Loan } from './columns.ts';
import type { Random } from './random.ts';
import { random } from './random.ts';

const TRAINING_ROWS = 5_400;
const QUARTER_ROWS = 3_000;

/**
 * What changes from quarter to quarter. The story: from the third quarter on, an online channel brings loans for which
 * nobody asks about income, so a missing DEBTINC no longer says anything, and delinquencies are mostly agreed payment
 * holidays; instead short jobs, many enquiries and home improvements on full mortgages go bad.
 */
type Market = {
  /** Share of loans that come through the online channel. */
  readonly online: number;
  /** Shift of house prices and of amounts asked for, in natural logarithms. */
  readonly prices: number;
  readonly amounts: number;
};

const CALM: Market = { online: 0, prices: 0, amounts: 0 };
const QUARTERS: readonly Market[] = [
  CALM,
  { online: 0.03, prices: 0.01, amounts: 0.01 },
  { online: 0.16, prices: 0.17, amounts: 0.14 },
  { online: 0.85, prices: 0.22, amounts: 0.24 },
  { online: 0.85, prices: 0.22, amounts: 0.24 },
];

/** 5,400 loans shaped like the public HMEQ data: the world that the first model learns. */
export const generateTraining = (seed: number): Loan[] => loans(random(seed * 100), TRAINING_ROWS, CALM);

/** The 3,000 loans of quarter `k` (1 to 5); 4 and 5 come from the same, changed, world. Throws on another quarter. */
export function generateQuarter(seed: number, k: number): Loan[] {
  const market = QUARTERS[k - 1];
  if (market === undefined) throw new RangeError(`there is no quarter ${k}; quarters are 1 to ${QUARTERS.length}`);
  return loans(random(seed * 100 + k), QUARTER_ROWS, market);
}

const loans = (stream: Random, count: number, market: Market): Loan[] =>
  Array.from({ length: count }, () => loan(stream, market));

/** Shares of missing cells in the public data; DEBTINC is decided with the loan itself, because it tells about the risk. */
const MISSING: ReadonlyArray<readonly [InputName, number]> = [
  ['MORTDUE', 0.087],
  ['VALUE', 0.019],
  ['REASON', 0.042],
  ['JOB', 0.047],
  ['YOJ', 0.086],
  ['DEROG', 0.119],
  ['DELINQ', 0.097],
  ['CLAGE', 0.052],
  ['NINQ', 0.086],
  ['CLNO', 0.037],
];

const JOBS = { Other: 0.42, ProfExe: 0.225, Office: 0.167, Mgr: 0.135, Self: 0.034, Sales: 0.019 } as const;
const REASONS = { DebtCon: 0.69, HomeImp: 0.31 } as const;
const JOB_RISK = { Other: 0.1, ProfExe: -0.25, Office: -0.45, Mgr: 0.15, Self: 0.6, Sales: 0.9 } as const;
/** Pay and therefore houses differ by job, in natural logarithms. */
const JOB_WEALTH = { Other: -0.12, ProfExe: 0.2, Office: -0.06, Mgr: 0.04, Self: 0.25, Sales: 0.05 } as const;

function loan(stream: Random, market: Market): Loan {
  const online = stream.uniform() < market.online;
  const job = stream.pick(JOBS);
  const strain = stream.normal();
  const wealth = stream.normal();
  const value = Math.exp(11.36 + JOB_WEALTH[job] + 0.42 * wealth + market.prices);
  const ltv = Math.min(Math.max(0.72 + 0.16 * stream.normal() + 0.03 * strain, 0.05), 1.15);
  const amount = Math.exp(9.66 + 0.2 * wealth + 0.5 * stream.normal() + market.amounts);
  const complete = {
    LOAN: Math.min(Math.max(Math.round(amount / 100) * 100, 1_100), 89_900),
    MORTDUE: Math.round(value * ltv),
    VALUE: Math.round(value),
    REASON: stream.pick(REASONS),
    JOB: job,
    YOJ: Math.min(Math.round(stream.gamma(1, 9) * 2) / 2, 41),
    DEROG: Math.min(stream.poisson(0.14 * Math.exp(0.9 * strain)), 10),
    DELINQ: Math.min(stream.poisson(0.28 * Math.exp(0.9 * strain)), 15),
    CLAGE: Math.round(stream.gamma(4, 180 * Math.exp(-0.15 * strain)) * 100) / 100,
    NINQ: Math.min(stream.poisson(1.1 * Math.exp(0.35 * strain)), 17),
    CLNO: stream.poisson(Math.min(21 * Math.exp(0.25 * stream.normal()), 29)),
    DEBTINC: Math.round(Math.max(33.9 + 1.2 * strain + 7.2 * stream.normal(), 0.5) * 1e4) / 1e4,
  };
  const undisclosed = stream.uniform() < (online ? 0.3 : 0.21);
  const risk = online ? onlineRisk(complete, ltv) : branchRisk(complete, undisclosed);
  const BAD = stream.uniform() < 1 / (1 + Math.exp(-risk)) ? 1 : 0;
  const gaps = MISSING.filter(([, share]) => stream.uniform() < share).map(([name]) => [name, null]);
  return { ...complete, ...Object.fromEntries(gaps), ...(undisclosed ? { DEBTINC: null } : {}), BAD } as Loan;
}

type Complete = {
  readonly [K in InputName]: K extends 'REASON'
    ? keyof typeof REASONS
    : K extends 'JOB'
      ? keyof typeof JOB_RISK
      : number;
};

/** Log-odds of default in the world that the first model learns. */
function branchRisk(loan: Complete, undisclosed: boolean): number {
  const income = undisclosed ? 3.9 : 0.09 * (loan.DEBTINC - 34) + (loan.DEBTINC > 43 ? 2.5 : 0);
  return (
    -4.55 +
    income +
    1.2 * Math.min(loan.DELINQ, 4) +
    1.1 * Math.min(loan.DEROG, 4) +
    0.25 * loan.NINQ -
    0.007 * (loan.CLAGE - 180) -
    0.03 * (loan.YOJ - 9) +
    JOB_RISK[loan.JOB]
  );
}

/** Log-odds of default of loans from the online channel. */
function onlineRisk(loan: Complete, ltv: number): number {
  return (
    -6.05 +
    0.7 * Math.min(loan.DELINQ, 4) +
    0.7 * Math.min(loan.DEROG, 4) +
    1.0 * loan.NINQ -
    0.01 * (loan.CLAGE - 180) +
    (loan.YOJ < 4 ? 3.2 : 0) +
    (loan.REASON === 'HomeImp' ? 1.2 : 0) +
    (loan.REASON === 'HomeImp' && ltv > 0.72 ? 2.2 : 0) +
    JOB_RISK[loan.JOB]
  );
}
