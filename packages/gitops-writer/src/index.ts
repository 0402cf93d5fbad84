export { audit, type AuditRequest } from './audit/audit.ts';
export type { AuditReport, Finding as AuditFinding, Served } from './audit/report.ts';
export { kubeCaller, type KubeAnswer, type KubeCaller } from './cluster/caller.ts';
export { WRITER_ENV, type WriterEnv } from './config.ts';
