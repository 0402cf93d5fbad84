import { analyze } from './monitor/analyze.ts';
import { falseAlerts } from './monitor/false-alerts.ts';
import { judgeNumbers } from './monitor/judge.ts';
import { snapshot } from './monitor/snapshot.ts';
import type { Result } from './result.ts';

/** What the monitor promises about its figures and their price. */
export const monitor = async (): Promise<Result[]> => [
  ...(await judgeNumbers()),
  ...falseAlerts(),
  ...(await analyze()),
  ...(await snapshot()),
];
