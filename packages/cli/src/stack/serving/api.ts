import type { Signature } from '@fairway/core';
import { DEFAULT_SIGNATURE } from '@fairway/savedmodel';
import { refuse, statusOf } from '../web/http.ts';
import { metadataAnswer, writePredictAnswer } from './answer.ts';
import { readPredictRequest } from './request.ts';
import type { Servable } from './servable.ts';

export type ApiAnswer = { readonly status: number; readonly body: string };

// Matched against path *and* query, as TensorFlow Serving does: a query makes a request malformed.
const PREDICT = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i;
const STATUS = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(\/metadata)?$/i;

type Target = { readonly name: string; readonly version: string | undefined; readonly label: string | undefined };

/** Answers one REST request on a path below `/v1/`; errors are `{"error": …}` with TensorFlow Serving's status codes. */
export function answer(servable: Servable, method: string, target: string, body: () => string): ApiAnswer {
  try {
    return { status: 200, body: route(servable, method, target, body) };
  } catch (error) {
    // A RangeError is the executor's word for shapes that do not fit: the caller's fault, as in TensorFlow.
    const status = statusOf(error) ?? (error instanceof RangeError ? 400 : 500);
    return { status, body: JSON.stringify({ error: (error as Error).message }) };
  }
}

function route(servable: Servable, method: string, target: string, body: () => string): string {
  const predict = method === 'POST' ? PREDICT.exec(target) : null;
  if (predict !== null) return infer(servable, targetOf(predict), (predict[4] as string).toLowerCase(), body());
  const status = method === 'GET' ? STATUS.exec(target) : null;
  if (status === null) return refuse(400, `Malformed request: ${method} ${target}`);
  if (status[1] === undefined) return refuse(400, 'Missing model name in request.');
  return status[4] === undefined ? statusAnswer(servable, targetOf(status)) : metadata(servable, targetOf(status));
}

const targetOf = ([, name = '', version, label]: RegExpExecArray): Target => ({ name: decoded(name), version, label });

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The servable if it is what the request names, and can serve. */
function available(servable: Servable, { name, version, label }: Target): Extract<Servable, { state: 'AVAILABLE' }> {
  if (label !== undefined) return refuse(400, `Unrecognized servable version label: ${label}`);
  const wanted = version === undefined || BigInt(version) === BigInt(servable.version);
  if (name === servable.model && wanted && servable.state === 'AVAILABLE') return servable;
  return refuse(
    404,
    `Servable not found for request: ${version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`}`,
  );
}

function infer(servable: Servable, target: Target, verb: string, body: string): string {
  const { savedModel, run } = available(servable, target);
  const find = (name: string | undefined): Signature => {
    const wanted = name === undefined || name === '' ? DEFAULT_SIGNATURE : name;
    const found = savedModel.signatures.find((signature) => signature.name === wanted);
    return found ?? refuse(400, `Serving signature name: "${wanted}" not found in signature def`);
  };
  if (verb !== 'predict') {
    const kind = verb === 'classify' ? 'classification' : 'regression';
    return refuse(
      400,
      `Expected ${kind} signature method_name to be tensorflow/serving/${verb}. Was: ${find(undefined).method}`,
    );
  }
  let signature = DEFAULT_SIGNATURE;
  const { form, inputs } = readPredictRequest(body, (name) => {
    const found = find(name);
    signature = found.name;
    return found;
  });
  return writePredictAnswer(run.get(signature)?.(inputs) ?? {}, form);
}

/** Status lists the version in any state; the label form ignores the label. */
function statusAnswer(servable: Servable, { name, version }: Target): string {
  if (name !== servable.model) return refuse(404, `Could not find any versions of model ${name}`);
  if (version !== undefined && BigInt(version) !== BigInt(servable.version)) {
    return refuse(404, `Could not find version ${version} of model ${name}`);
  }
  const status =
    servable.state === 'END'
      ? { error_code: 'INVALID_ARGUMENT', error_message: servable.error }
      : { error_code: 'OK', error_message: '' };
  return JSON.stringify({ model_version_status: [{ version: servable.version, state: servable.state, status }] });
}

function metadata(servable: Servable, target: Target): string {
  const { model, version, savedModel } = available(servable, target);
  return metadataAnswer(model, version, savedModel);
}
