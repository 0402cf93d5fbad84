export type { Account } from './admin.ts';
// The injector's rules, for the dry run. They are no part of the agent: main.ts must not reach them.
export { type Injection, inject, type Surroundings } from './injector/inject.ts';
export { readPod } from './injector/read-pod.ts';
export { warningsOf } from './injector/review.ts';
export { parseVersion } from './injector/version.ts';
export { beforeLeaving, REDACTION_ENVIRONMENT } from './privacy/before-leaving.ts';
export { openPackQueue } from './pump/open.ts';
// What scored rows become, for imports of history.
export { packOf, predictCall } from './rows/exchange.ts';
export { checkColumns, type Mapping, type Scored } from './rows/mapping.ts';
export { foreignKind, jsonRow, namedRow, type Row, usable } from './rows/row.ts';
export { readTimeMapping, spread, TIMES } from './rows/time.ts';
