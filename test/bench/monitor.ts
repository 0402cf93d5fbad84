import { analyze } from './monitor/analyze.ts';
import type { Result } from './result.ts';

/** What the monitor promises about its figures and their price. */
export const monitor = async (): Promise<Result[]> => [...(await analyze())];
