import { sql as changes } from './0001-changes.ts';

/** Forward only, in order; each must be safe while the version before it still runs. */
export const MIGRATIONS: ReadonlyArray<{ readonly number: number; readonly name: string; readonly sql: string }> = [
  { number: 1, name: 'changes', sql: changes },
];
