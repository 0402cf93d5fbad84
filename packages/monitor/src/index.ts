export { type AnalysisFinding, analyzeWindow, type Reference, type WindowAnalysis, worst } from './analyze/window.ts';
export { baselineOf, tableOf } from './analyze/profile.ts';
export { DEFAULT_POLICY, defaultPolicy } from './analyze/default-policy.ts';
export { type Column, type Kind, type Plan, type Sight, Tally } from './analyze/tally.ts';
export { parsePolicy } from './policy/parse.ts';
export type { Policy, Rule } from './policy/schema.ts';
export type { StoredWindow, StoredWindows } from './app/windows.ts';
export { analysisPage } from './analyze/report.ts';
