import { BYTES, eachField } from '@fairway/core';
import { type Json, type JsonObject, put } from '../read-json.ts';
import { addFloats, addIntegers, nameOf, type Source, textOf } from './values.ts';

/** Input (tensorflow_serving/apis/input.proto): a list of tf.Example, with what all of them share or without it. */
export function readInput(source: Source, start: number, end: number): { examples: Json[]; context?: Json } {
  const input: { examples: Json[]; context?: Json } = { examples: [] };
  eachMessage(source, start, end, (kind, start, end) => {
    if (kind !== 1 && kind !== 2) return;
    eachMessage(source, start, end, (id, start, end) => {
      if (id === 1) input.examples.push(readExample(source, start, end));
      if (id === 2 && kind === 2) input.context = readExample(source, start, end);
    });
  });
  return input;
}

/** tf.Example → Features → map of Feature. */
function readExample(source: Source, start: number, end: number): JsonObject {
  const example: Record<string, Json> = {};
  eachMessage(source, start, end, (id, start, end) => {
    if (id !== 1) return;
    eachMessage(source, start, end, (id, start, end) => {
      if (id === 1) readEntry(source, start, end, example);
    });
  });
  return example;
}

function readEntry(source: Source, start: number, end: number, into: Record<string, Json>): void {
  let name = '';
  let values: Json[] = [];
  eachMessage(source, start, end, (id, start, end) => {
    if (id === 1) name = nameOf(source, start, end);
    if (id === 2) values = readFeature(source, start, end);
  });
  // No value and no feature are the same to TensorFlow: it takes the default.
  put(into, name, values.length > 1 ? values : (values[0] ?? null));
}

function readFeature(source: Source, start: number, end: number): Json[] {
  const values: Json[] = [];
  eachMessage(source, start, end, (kind, start, end) => {
    eachField(source.bytes, start, end, (id, wire, value, stop) => {
      if (id !== 1) return;
      if (kind === 1 && wire === BYTES) values.push(textOf(source, value, stop));
      if (kind === 2) addFloats(source, [wire, value, stop], 4, (float) => values.push(float));
      if (kind === 3) addIntegers(source, [wire, value, stop], (integer) => values.push(integer));
    });
  });
  return values;
}

/** ClassificationResult as REST has it: for each example its `[label, score]` pairs. */
export function readClasses(source: Source, start: number, end: number): Json[] {
  const results: Json[] = [];
  eachMessage(source, start, end, (id, start, end) => {
    if (id !== 1) return;
    const classes: Json[] = [];
    eachMessage(source, start, end, (id, start, end) => {
      if (id === 1) classes.push([label(source, start, end), floatOf(source, start, end, 2)]);
    });
    results.push(classes);
  });
  return results;
}

function label(source: Source, start: number, end: number): string {
  let text = '';
  eachMessage(source, start, end, (id, start, end) => {
    if (id === 1) text = nameOf(source, start, end);
  });
  return text;
}

/** RegressionResult as REST has it: a number for each example. */
export function readValues(source: Source, start: number, end: number): Json[] {
  const results: Json[] = [];
  eachMessage(source, start, end, (id, start, end) => {
    if (id === 1) results.push(floatOf(source, start, end, 1));
  });
  return results;
}

/** A float that is 0 is not written. */
function floatOf(source: Source, start: number, end: number, field: number): number {
  let float = 0;
  eachField(source.bytes, start, end, (id, wire, value, stop) => {
    if (id === field) addFloats(source, [wire, value, stop], 4, (value) => (float = value));
  });
  return float;
}

/** Tells the fields that hold messages, texts or bytes. */
export function eachMessage(
  { bytes }: Source,
  start: number,
  end: number,
  visit: (id: number, start: number, end: number) => void,
): void {
  eachField(bytes, start, end, (id, wire, value, stop) => {
    if (wire === BYTES) visit(id, value, stop);
  });
}
