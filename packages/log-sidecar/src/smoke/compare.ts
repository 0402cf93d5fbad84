import {
  type ExactJson,
  type ExactNumber,
  type ExactObject,
  GOLDEN_ABSOLUTE,
  GOLDEN_RELATIVE,
  type GoldenCase,
  isBase64,
  isExactList,
  isExactNumber,
  isExactObject,
  toNumber,
  writeExactJson,
} from '@fairway/core';

/** A few places say where to look; a tensor may have thousands. */
const MOST_PLACES = 3;

/** Why an answer of TensorFlow Serving is not what a case wants, a phrase each; empty: it is. */
export function differences(wanted: GoldenCase, answer: ExactJson): string[] {
  const columns = columnsOf(wanted, answer);
  if (typeof columns === 'string') return [columns];
  return [...wanted.outputs].flatMap(([name, value]) => {
    const got = columns.get(name);
    if (got === undefined) return [`the answer has no output ${name}`];
    const places = compare(name, value, got, wanted.tolerance);
    const more = places.length - MOST_PLACES;
    return more > 0 ? [...places.slice(0, MOST_PLACES), `and ${more} more places of ${name}`] : places;
  });
}

/** The outputs by name and column, whatever the form of the answer; in words where it has none. */
function columnsOf({ form, outputs }: GoldenCase, answer: ExactJson): ExactObject | string {
  const body = isExactObject(answer) ? answer.get(form === 'instances' ? 'predictions' : 'outputs') : undefined;
  if (body === undefined) return `the answer is ${shown(answer)}`;
  // The only output of a model comes without its name.
  const [only = ''] = outputs.keys();
  if (form === 'inputs') return isExactObject(body) && !isBase64(body) ? body : new Map([[only, body]]);
  if (!isExactList(body)) return `the predictions are no list but ${shown(body)}`;
  if (!body.every((row) => isExactObject(row) && !isBase64(row))) return new Map([[only, body]]);
  const rows = body as readonly ExactObject[];
  return new Map([...outputs.keys()].map((name) => [name, rows.map((row) => row.get(name) ?? null)]));
}

function compare(at: string, wanted: ExactJson, got: ExactJson, tolerance: number | undefined): string[] {
  if (isExactList(wanted)) {
    if (!isExactList(got)) return [`${at} is ${shown(got)}, wanted a list`];
    if (wanted.length !== got.length) return [`${at} has ${got.length} values, wanted ${wanted.length}`];
    return wanted.flatMap((item, i) => compare(`${at}[${i}]`, item, got[i] ?? null, tolerance));
  }
  if (isExactNumber(wanted)) {
    if (!isExactNumber(got)) return [`${at} is ${shown(got)}, wanted ${wanted.number}`];
    const limit = limitOf(wanted, got, tolerance);
    const near = limit > 0 && Number.isFinite(toNumber(wanted)) && Number.isFinite(toNumber(got));
    const within = near ? ` ± ${limit.toPrecision(2)}` : '';
    return agree(wanted, got, limit) ? [] : [`${at} is ${got.number}, wanted ${wanted.number}${within}`];
  }
  return plain(wanted) === plain(got) ? [] : [`${at} is ${shown(got)}, wanted ${shown(wanted)}`];
}

const INTEGER = /^-?\d+$/;

/** TensorFlow Serving writes decimals with a point: where both are without, the tensor holds integers, which are exact. */
function limitOf(wanted: ExactNumber, got: ExactNumber, tolerance: number | undefined): number {
  if (tolerance !== undefined) return tolerance;
  if (INTEGER.test(wanted.number) && INTEGER.test(got.number)) return 0;
  return GOLDEN_ABSOLUTE + GOLDEN_RELATIVE * Math.abs(toNumber(wanted));
}

function agree(wanted: ExactNumber, got: ExactNumber, limit: number): boolean {
  if (limit === 0 && INTEGER.test(wanted.number) && INTEGER.test(got.number))
    return BigInt(wanted.number) === BigInt(got.number);
  const [a, b] = [toNumber(wanted), toNumber(got)];
  // NaN agrees with NaN and an infinity with itself; any number would be within an infinite limit of the latter.
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Object.is(a, b);
  return Math.abs(a - b) <= limit;
}

/** Bytes are the same in either form. */
const plain = (value: ExactJson): string =>
  isBase64(value)
    ? `"${Buffer.from(value.get('b64') as string, 'base64').toString('base64')}`
    : typeof value === 'string'
      ? `"${Buffer.from(value).toString('base64')}`
      : writeExactJson(value);

function shown(value: ExactJson): string {
  const text = writeExactJson(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
