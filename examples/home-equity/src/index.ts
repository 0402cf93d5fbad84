export { CATEGORICAL, INPUTS, type Loan, NUMERIC, TARGET } from './columns.ts';
export { readLoans } from './csv.ts';
export { generateQuarter, generateTraining } from './generate.ts';
export { trainHomeEquity } from './train.ts';
