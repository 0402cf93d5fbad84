import { analyze, publishedFigures } from './monitor/analyze.ts';
import { falseAlerts } from './monitor/false-alerts.ts';
import { judgeNumbers } from './monitor/judge.ts';
import { monitorMemory } from './monitor/memory.ts';
import { segmentNumbers } from './monitor/segments.ts';
import { snapshot } from './monitor/snapshot.ts';
import type { Result } from './result.ts';

/** What the monitor promises about its figures and their price, each part by its name. */
export const MONITOR: Readonly<Record<string, () => Promise<Result[]>>> = {
  'monitor-judge': judgeNumbers,
  'monitor-segments': async () => segmentNumbers(),
  'monitor-memory': monitorMemory,
  'monitor-alerts': async () => falseAlerts(),
  'monitor-figures': publishedFigures,
  'monitor-analyze': analyze,
  'monitor-snapshot': snapshot,
};
