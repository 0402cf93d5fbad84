export * from './admin.ts';
export * from './agent-memory.ts';
export * from './batched.ts';
export {
  type GateAsked,
  type Paired,
  pairedAccuracy,
  pairedErrors,
  pairedInterval,
  passesGate,
} from './candidate-gate.ts';
export * from './canonical.ts';
export * from './clock.ts';
export * from './delimited-text.ts';
export * from './delimited-bytes.ts';
export * from './env.ts';
export * from './errors.ts';
export * from './exact-json.ts';
export * from './exchange.ts';
export * from './gate.ts';
export * from './golden.ts';
export * from './ids.ts';
export * from './lifecycle.ts';
export * from './log.ts';
export * from './model.ts';
export * from './monitoring.ts';
export { readNumber } from './number-bytes.ts';
export * from './process-start.ts';
export * from './profile.ts';
export * from './protobuf.ts';
export * from './paired-auc.ts';
export * from './ranking.ts';
export * from './redact.ts';
export * from './secret-files.ts';
export * from './seen-texts.ts';
export * from './signed-message.ts';
export * from './steps.ts';
export * from './teams.ts';
export * from './two-sample.ts';
