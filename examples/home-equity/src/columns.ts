/** Inputs of the home-equity model in the order of the public HMEQ data; the target stands before them. */
export const NUMERIC = [
  'LOAN',
  'MORTDUE',
  'VALUE',
  'YOJ',
  'DEROG',
  'DELINQ',
  'CLAGE',
  'NINQ',
  'CLNO',
  'DEBTINC',
] as const;
export const CATEGORIES = {
  REASON: ['DebtCon', 'HomeImp'],
  JOB: ['Mgr', 'Office', 'Other', 'ProfExe', 'Sales', 'Self'],
} as const;
export const CATEGORICAL = ['REASON', 'JOB'] as const;
export const TARGET = 'BAD';
export const INPUTS = [
  'LOAN',
  'MORTDUE',
  'VALUE',
  'REASON',
  'JOB',
  'YOJ',
  'DEROG',
  'DELINQ',
  'CLAGE',
  'NINQ',
  'CLNO',
  'DEBTINC',
] as const;

type NumericName = (typeof NUMERIC)[number];
export type CategoricalName = (typeof CATEGORICAL)[number];
export type InputName = (typeof INPUTS)[number];

/** One loan: inputs (null = missing) and the outcome, 1 = defaulted or seriously delinquent. */
export type Loan = Readonly<Record<NumericName, number | null>> &
  Readonly<Record<CategoricalName, string | null>> & { readonly BAD: 0 | 1 };
