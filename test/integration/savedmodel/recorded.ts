import { readFileSync } from 'node:fs';
import type { Loan } from '../../../examples/home-equity/src/columns.ts';
import { WIDTH } from '../../../examples/home-equity/src/features.ts';
import type { Weights } from '../../../examples/home-equity/src/saved-model.ts';

const ramp = (length: number, step: number, scale: number) =>
  Float32Array.from({ length }, (_, i) => (((i * step) % 201) - 100) / scale);

/** A home-equity model with made-up weights: plain arithmetic, so that every machine writes the same bytes. */
export const RECORDED_WEIGHTS: Weights = {
  scaling: {
    mean: Float32Array.of(9.7, 11, 11.3, 1.8, 0.2, 0.3, 5, 0.7, 3, 3.5),
    std: Float32Array.of(0.6, 0.7, 0.5, 0.9, 0.4, 0.5, 0.5, 0.6, 0.5, 0.3),
  },
  layers: [
    { inputs: WIDTH, units: 16, kernel: ramp(WIDTH * 16, 7919, 250), bias: ramp(16, 31, 400) },
    { inputs: 16, units: 1, kernel: ramp(16, 57, 100), bias: Float32Array.of(0.1) },
  ],
};

/** What TensorFlow itself computes from that model's saved_model.pb. */
export const RECORDED = JSON.parse(readFileSync(new URL('golden/tensorflow.json', import.meta.url), 'utf8')) as {
  readonly tensorflow: string;
  readonly digest: string;
  readonly rows: readonly Loan[];
  readonly outputs: Readonly<Record<'P_BAD1' | 'P_BAD0' | 'I_BAD', readonly number[]>>;
};
