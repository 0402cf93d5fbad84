export { type AnalysisFinding, analyzeWindow, type Reference, type WindowAnalysis, worst } from './analyze/window.ts';
export { baselineOf, tableOf } from './analyze/profile.ts';
export { DEFAULT_POLICY, defaultPolicy, defaultPolicyText } from './analyze/default-policy.ts';
export { type Column, type Kind, type Plan, type Sight, Tally } from './analyze/tally.ts';
export { SegmentTally } from './analyze/segments.ts';
export { segmentSentence } from './moved/worst-segments.ts';
export {
  ANY_MISSING,
  anyMissing,
  MOST_SEGMENT_BINS,
  MOST_SEGMENT_INPUTS,
  type SegmentInput,
  segmentInputs,
} from './metrics/segment-counts.ts';
export { metricOf } from './metrics/registry.ts';
export { misfits } from './policy/fit.ts';
export { lookBack } from './app/judge-rule.ts';
export { unansweredSentence } from './app/unanswered.ts';
export { parsePolicy } from './policy/parse.ts';
export type { Policy, Rule } from './policy/schema.ts';
export type { StoredWindow, StoredWindows } from './app/windows.ts';
export type { EpochAccount } from './ports/labels.ts';
export type { SasBaseline } from './app/sas-baseline.ts';
export type { SasTable } from './app/sas-tables.ts';
export { analysisPage } from './analyze/report.ts';
export { type Replay, replay } from './app/evidence.ts';
export type { StoredEvidence } from './ports/evidence.ts';
export type { StoredBacktest } from './app/backtest-stored.ts';
