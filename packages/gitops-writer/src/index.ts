export { audit, type AuditRequest } from './audit/audit.ts';
export type { AuditReport, Finding as AuditFinding, Served } from './audit/report.ts';
export { kubeCaller, type KubeAnswer, type KubeCaller } from './cluster/caller.ts';
export { clockSkewS, SKEW_TOLD_S, skewMend } from './cluster/clocks.ts';
export { WRITER_ENV, type WriterEnv } from './config.ts';
