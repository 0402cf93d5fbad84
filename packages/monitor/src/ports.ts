export type * from './ports/evidence.ts';
export type * from './ports/judging.ts';
export type * from './ports/labels.ts';
export type * from './ports/reading.ts';
export type * from './ports/recording.ts';
export type * from './ports/sending.ts';
export type * from './ports/writer.ts';
