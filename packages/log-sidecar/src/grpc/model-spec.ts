import { constants, gunzipSync } from 'node:zlib';
import { BYTES, eachField, readVarint, VARINT } from '@fairway/core';
import type { GrpcMessage } from './message.ts';

/** What ModelSpec (tensorflow_serving/apis/model.proto) says; a version is digits. */
export type ModelSpec = { readonly name?: string; readonly version?: string };

/** Enough of a compressed message for its first field; to inflate all of it would hold the hop up. */
const PEEKED = 256;
const PEEKED_INFLATED = 512 * 1024;
/** A message has a handful of fields; millions of empty ones would hold the hop up as well. */
const MOST_FIELDS = 1024;
/** Tag and length of a field. */
const HEAD = 20;
/** A spec is a name, a number and perhaps two more names. */
const SPEC = 4096;

/** Number of the field with the spec: of these messages it is their own, of MultiInference's that of each task. */
type Place = readonly [field: number, inner?: number];
export type Method = 'Predict' | 'Classify' | 'Regress' | 'MultiInference';

const OWN: Readonly<Record<'request' | 'answer', Place>> = { request: [1], answer: [2] };
const placeOf = (method: Method, side: 'request' | 'answer'): Place =>
  method === 'MultiInference' ? [1, 1] : OWN[side];

/** Bytes, wherever they lie. */
type Sliced = { readonly held: number; slice(start: number, end: number): Buffer };

/** The spec in a message, without a look at its tensors; empty when there is none or the message cannot be read. */
export function specOf(message: GrpcMessage, method: Method, side: 'request' | 'answer'): ModelSpec {
  const [field, inner] = placeOf(method, side);
  try {
    const found = fieldOf(message.compressed ? peeked(message) : message, field);
    if (found === undefined) return {};
    if (inner === undefined) return readSpec(found, 0, found.length);
    return innerSpec(found, inner);
  } catch {
    // No message, or one that is cut at the cap before its spec.
    return {};
  }
}

/** The first field of that number, as far as a spec reaches; steps over all others by their lengths. */
function fieldOf(message: Sliced, field: number): Buffer | undefined {
  let at = 0;
  for (let fields = 0; at < message.held && fields < MOST_FIELDS; fields++) {
    const head = message.slice(at, at + HEAD);
    const cursor = { at: 0 };
    const tag = readVarint(head, cursor, head.length);
    // Messages of these kinds have fields of bytes only.
    if (tag % 8 !== BYTES) return undefined;
    const length = readVarint(head, cursor, head.length);
    if (length < 0) return undefined;
    const start = at + cursor.at;
    at = start + length;
    if (Math.floor(tag / 8) === field) return message.slice(start, Math.min(at, start + SPEC));
  }
  return undefined;
}

/** The first task speaks for all of them: they are of one model. What follows the spec in it may be cut. */
function innerSpec(task: Buffer, inner: number): ModelSpec {
  const found = fieldOf({ held: task.length, slice: (start, end) => task.subarray(start, end) }, inner);
  return found === undefined ? {} : readSpec(found, 0, found.length);
}

function readSpec(bytes: Buffer, start: number, end: number): ModelSpec {
  const spec: { name?: string; version?: string } = {};
  eachField(bytes, start, end, (id, wire, start, end) => {
    if (wire !== BYTES) return;
    if (id === 1) spec.name = bytes.toString('utf8', start, end);
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

function peeked(message: GrpcMessage): Sliced {
  const limits = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: PEEKED_INFLATED };
  const plain = gunzipSync(message.slice(0, PEEKED), limits);
  return { held: plain.length, slice: (start, end) => plain.subarray(start, end) };
}
