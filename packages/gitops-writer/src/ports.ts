/** What the writer needs of the world, one file for each neighbour. */
export type * from './ports/champions.ts';
export type * from './ports/cluster.ts';
export type * from './ports/forge.ts';
export type * from './ports/git.ts';
export type * from './ports/inbox.ts';
export type * from './ports/metrics.ts';
export type * from './ports/model.ts';
export type * from './ports/outbox.ts';
export type * from './ports/replay.ts';
export type * from './ports/store.ts';
export type * from './ports/verdicts.ts';
