import type { InferenceRoute } from '../ports.ts';

const INFERENCE = /^\/v1\/models\/([^/:]+)(?:\/versions\/([0-9]+)|\/labels\/[^/:]+)?:(?:predict|classify|regress)$/i;
const STATUS = /^\/v1\/models\/[^/:]+(?:\/versions\/[0-9]+|\/labels\/[^/:]+)?(\/metadata)?$/i;

/** The inference route of a request, or undefined. The pattern covers path and query, as TF Serving's own does. */
export function inferenceRoute(method: string, target: string): InferenceRoute | undefined {
  if (method !== 'POST') return undefined;
  const match = INFERENCE.exec(target);
  if (match?.[1] === undefined) return undefined;
  const model = decode(match[1]);
  return match[2] === undefined ? { model } : { model, version: match[2] };
}

/** What a request that is no inference call is counted as. */
export function otherRoute(method: string, target: string): 'status' | 'metadata' | 'metrics' | 'other' {
  if (method !== 'GET') return 'other';
  const status = STATUS.exec(target);
  if (status) return status[1] === undefined ? 'status' : 'metadata';
  return target.startsWith('/monitoring/') ? 'metrics' : 'other';
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
