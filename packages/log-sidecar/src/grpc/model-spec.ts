import { constants, gunzipSync } from 'node:zlib';
import { BYTES, eachField, VARINT } from '@fairway/core';
import type { GrpcMessage } from './message.ts';

/** What ModelSpec (tensorflow_serving/apis/model.proto) says; a version is digits. */
export type ModelSpec = { readonly name?: string; readonly version?: string };

/** Enough of a compressed message for its first field; to inflate all of it would hold the hop up. */
const PEEKED = 256;
const PEEKED_INFLATED = 512 * 1024;
/** A request has a handful of fields; millions of empty ones would hold the hop up as well. */
const MOST_FIELDS = 4096;

/** Number of the field with the spec: of these messages it is their own, of MultiInference's that of each task. */
type Place = readonly [field: number, inner?: number];
export type Method = 'Predict' | 'Classify' | 'Regress' | 'MultiInference';

const PLACES: Readonly<Record<Method, { readonly request: Place; readonly answer: Place }>> = {
  Predict: { request: [1], answer: [2] },
  Classify: { request: [1], answer: [2] },
  Regress: { request: [1], answer: [2] },
  MultiInference: { request: [1, 1], answer: [1, 1] },
};

/** The spec in a message, without a look at its tensors; empty when there is none or the message cannot be read. */
export function specOf(message: GrpcMessage, method: Method, side: 'request' | 'answer'): ModelSpec {
  const bytes = message.bytes();
  let spec: ModelSpec = {};
  try {
    const plain = message.compressed ? peeked(bytes) : bytes;
    const [field, inner] = PLACES[method][side];
    const found = (start: number, end: number) => {
      spec = { ...spec, ...readSpec(plain, start, end) };
    };
    let fields = 0;
    eachField(plain, 0, plain.length, (id, wire, start, end) => {
      if (++fields > MOST_FIELDS) throw new RangeError('it has too many fields');
      if (id !== field || wire !== BYTES) return;
      if (inner === undefined) found(start, end);
      // The first task speaks for all of them: they are of one model.
      else if (spec.name === undefined) {
        eachField(plain, start, end, (id, wire, start, end) => {
          if (id === inner && wire === BYTES) found(start, end);
        });
      }
    });
  } catch {
    // What stands before the place where it cannot be read, or is cut at the cap, is as good as ever.
  }
  return spec;
}

function readSpec(bytes: Uint8Array, start: number, end: number): ModelSpec {
  const spec: { name?: string; version?: string } = {};
  eachField(bytes, start, end, (id, wire, start, end) => {
    if (wire !== BYTES) return;
    if (id === 1) spec.name = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
    // google.protobuf.Int64Value: a version of 0 is an empty message.
    if (id === 2) {
      spec.version = '0';
      eachField(bytes, start, end, (id, wire, value) => {
        if (id === 1 && wire === VARINT) spec.version = String(value);
      });
    }
  });
  return spec;
}

const peeked = (bytes: Uint8Array): Uint8Array =>
  gunzipSync(bytes.subarray(0, PEEKED), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: PEEKED_INFLATED });
