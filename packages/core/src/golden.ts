import {
  type ExactJson,
  type ExactObject,
  isExactNumber,
  isExactObject,
  readExactJson,
  toNumber,
} from './exact-json.ts';

/** One question to a model with the answer that it must give (docs/intake.md, "Golden cases"). */
export type GoldenCase = {
  readonly line: number;
  readonly name?: string;
  /** Key of TensorFlow Serving's predict request: `inputs` is by column, `instances` by row. */
  readonly form: 'inputs' | 'instances';
  readonly request: ExactJson;
  /** Wanted values by the name of the output tensor, in columns; outputs that are not named do not matter. */
  readonly outputs: ExactObject;
  /** Most absolute difference of a number; undefined: {@link GOLDEN_ABSOLUTE} and {@link GOLDEN_RELATIVE}. */
  readonly tolerance?: number;
};

export const GOLDEN_FILE = 'golden.jsonl';
export const GOLDEN_MOST_CASES = 1_000;
/** A ConfigMap holds 1 MiB; the margin is for what is written around the file. */
export const GOLDEN_MOST_BYTES = 900 * 1024;
export const GOLDEN_ABSOLUTE = 1e-5;
export const GOLDEN_RELATIVE = 1e-4;

/** `problems`: what is wrong with the file, a phrase each that names the line; empty: it can be used. */
export type GoldenFile = { readonly cases: readonly GoldenCase[]; readonly problems: readonly string[] };

/** Reads a golden.jsonl: one case a line, empty lines left out. Whether the model has these tensors is another question. */
export function readGolden(text: string): GoldenFile {
  const bytes = Buffer.byteLength(text);
  if (bytes > GOLDEN_MOST_BYTES) {
    return broken(`has ${bytes} bytes, and ${GOLDEN_MOST_BYTES} fit a ConfigMap; keep the cases that tell most`);
  }
  const lines = text.split('\n').map((content, index) => ({ content: content.trim(), line: index + 1 }));
  const written = lines.filter(({ content }) => content !== '');
  if (written.length === 0) return broken('holds no case; write one JSON object a line, or leave the file out');
  if (written.length > GOLDEN_MOST_CASES) {
    return broken(`holds ${written.length} cases; at most ${GOLDEN_MOST_CASES} are asked after each deployment`);
  }
  const read = written.map(({ content, line }) => readCase(content, line));
  const cases = read.filter((item) => typeof item !== 'string');
  return { cases, problems: [...read.filter((item) => typeof item === 'string'), ...namedTwice(cases)] };
}

const broken = (what: string): GoldenFile => ({ cases: [], problems: [`${GOLDEN_FILE} ${what}`] });

/** How a line is called in sentences. */
export const goldenLine = (line: number): string => `${GOLDEN_FILE} line ${line}`;

const FIELDS = ['name', 'inputs', 'instances', 'outputs', 'tolerance'];
const NAME = /^\P{Cc}{1,80}$/u;

function readCase(content: string, line: number): GoldenCase | string {
  const at = goldenLine(line);
  const json = parsed(content);
  if (!isExactObject(json)) return `${at} is no JSON object`;
  const unknown = [...json.keys()].find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) return `${at} has the field ${quoted(unknown)}; known are ${FIELDS.join(', ')}`;
  const [name, outputs, tolerance] = [json.get('name'), json.get('outputs'), json.get('tolerance')];
  if (json.has('inputs') === json.has('instances')) return `${at} must have either inputs or instances`;
  if (!isExactObject(outputs) || outputs.size === 0) return `${at} must have outputs, an object by tensor name`;
  if (name !== undefined && !(typeof name === 'string' && NAME.test(name)))
    return `${at} must have a name of 1 to 80 characters, or none`;
  const limit = tolerance === undefined ? undefined : limitOf(tolerance);
  if (limit !== undefined && !(limit >= 0 && Number.isFinite(limit)))
    return `${at} must have a tolerance that is a number from 0, or none`;
  const form = json.has('inputs') ? 'inputs' : 'instances';
  const request = json.get(form) ?? null;
  return {
    line,
    form,
    request,
    outputs,
    ...(typeof name === 'string' ? { name } : {}),
    ...(limit === undefined ? {} : { tolerance: limit }),
  };
}

const limitOf = (json: ExactJson): number => (isExactNumber(json) ? toNumber(json) : Number.NaN);

function parsed(content: string): ExactJson | undefined {
  try {
    return readExactJson(content);
  } catch {
    return undefined;
  }
}

/** A name stands for one case: it is what people are told when the case fails. */
function namedTwice(cases: readonly GoldenCase[]): string[] {
  const first = new Map<string, number>();
  return cases.flatMap(({ name, line }) => {
    const known = name === undefined ? undefined : first.get(name);
    if (name !== undefined && known === undefined) first.set(name, line);
    return known === undefined ? [] : [`${goldenLine(line)} has the name of line ${known}`];
  });
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** TensorFlow Serving's form of bytes: an object with the one key `b64`. */
export const isBase64 = (json: ExactJson | undefined): json is ExactObject =>
  isExactObject(json) && json.size === 1 && typeof json.get('b64') === 'string';
