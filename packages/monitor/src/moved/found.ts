import type { Movement } from '@fairway/core';

export type Found = Omit<Movement, 'share' | 'before'>;

/** What counts as one step of each kind: a yardstick to rank by, never a rule. Of an error and an accuracy, as shares of themselves. */
export const STEP = { psi: 0.1, eventRate: 0.2, calibration: 0.2, auc: 0.05, error: 0.1, accuracy: 0.05 } as const;
/** Nothing is said of what chance explains. */
export const SURE = 0.99;
export const Z_95 = 1.959964;

export const figure = (value: number): string => value.toFixed(3);
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
/** A difference of two rates is no share of either. */
export const points = (share: number): string => `${(share * 100).toFixed(1)} points`;
export const signed = (share: number): string => `${share < 0 ? '−' : '+'}${points(Math.abs(share))}`;
