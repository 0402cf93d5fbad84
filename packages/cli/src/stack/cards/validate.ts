import { ACTIONS, CARD, COLUMN, ELEMENTS, FACT, type Fields } from './schema.ts';

/** The flow inflates what it got and drops it beyond 28 KB, after its 202: 24,453 bytes became 28,897 (msteams-docs #11274). */
const FLOW_LIMIT = 28_672;
const INFLATION = 1.2;
const MAX_PROBLEMS = 20;
const MAX_DEPTH = 20;

export type Checked = {
  /** The Adaptive Card, when the envelope holds one. */
  readonly card: unknown;
  /** Why the flow would fail after its 202, in sentences; empty when it would post the card. */
  readonly problems: readonly string[];
};

/** Checks a posted message: `bytes` is the size of the body as it came. */
export function checkMessage(message: unknown, bytes: number): Checked {
  const problems: string[] = [];
  const note = (problem: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };
  const inflated = Math.ceil(bytes * INFLATION);
  if (inflated > FLOW_LIMIT) note(`lost in the flow: ${bytes} bytes become about ${inflated}, more than ${FLOW_LIMIT}`);
  const card = unwrap(message, note);
  if (card !== undefined) checkCard(card, 'card', note, 0, true);
  return { card, problems };
}

type Note = (problem: string) => void;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unwrap(message: unknown, note: Note): unknown {
  const { type, attachments } = isObject(message) ? message : {};
  if (type !== 'message') note('envelope: type must be "message"');
  if (!Array.isArray(attachments) || attachments.length === 0) {
    note('envelope: attachments is missing; the flow fails with "foreach … is of type Null"');
    return undefined;
  }
  const first: unknown = attachments[0];
  const { contentType, content } = isObject(first) ? first : {};
  if (contentType !== 'application/vnd.microsoft.card.adaptive') {
    note('envelope: contentType must be "application/vnd.microsoft.card.adaptive"');
  }
  if (attachments.length > 1) note('envelope: only the first attachment is a card here');
  return content;
}

function checkCard(card: unknown, at: string, note: Note, depth: number, outermost: boolean): void {
  if (!isObject(card)) return note(`${at}: must be an object`);
  const { version } = card;
  const [major, minor] = typeof version === 'string' ? version.split('.').map(Number) : [];
  if (outermost && version === undefined) note(`${at}: version is missing`);
  else if (version !== undefined && !(major === 1 && minor !== undefined && minor <= 4)) {
    note(`${at}: version ${JSON.stringify(version)} is not 1.0 to 1.4, the newest that every Teams client shows`);
  }
  checkFields(card, CARD, at, note, depth);
}

/** Known fields with fitting values, required ones present, nothing else. */
function checkFields(value: unknown, fields: Fields, at: string, note: Note, depth: number): void {
  if (!isObject(value)) return note(`${at}: must be an object`);
  if (depth > MAX_DEPTH) return note(`${at}: nested too deeply`);
  const known = new Map(Object.entries(fields).map(([name, kind]) => [name.replace('!', ''), kind]));
  for (const name of Object.keys(fields)) {
    if (name.endsWith('!') && value[name.slice(0, -1)] === undefined) note(`${at}: ${name.slice(0, -1)} is missing`);
  }
  for (const [name, item] of Object.entries(value)) {
    const kind = known.get(name) ?? (name === 'type' ? 'string' : undefined);
    if (kind === undefined) note(`${at}: unknown field ${name}`);
    else checkValue(item, kind, `${at}.${name}`, note, depth + 1);
  }
}

function checkValue(value: unknown, kind: Fields[string], at: string, note: Note, depth: number): void {
  if (typeof kind !== 'string') {
    const fits = typeof value === 'string' && kind.some((word) => word.toLowerCase() === value.toLowerCase());
    if (!fits) note(`${at}: must be one of ${kind.join(', ')}`);
    return;
  }
  switch (kind) {
    case 'any':
      return;
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === kind ? undefined : note(`${at}: must be a ${kind}`);
    case 'url':
      return typeof value === 'string' && /^https?:\/\/\S+$/.test(value)
        ? undefined
        : note(`${at}: must be an http(s) URL`);
    case 'card':
      return checkCard(value, at, note, depth, false);
    case 'action':
      return checkTyped(value, ACTIONS, at, note, depth);
    case 'elements':
      return each(value, at, note, (item, place) => checkTyped(item, ELEMENTS, place, note, depth));
    case 'actions':
      return each(value, at, note, (item, place) => checkTyped(item, ACTIONS, place, note, depth));
    case 'columns':
      return each(value, at, note, (item, place) => checkFields(item, COLUMN, place, note, depth));
    case 'facts':
      return each(value, at, note, (item, place) => checkFields(item, FACT, place, note, depth));
    case 'targets':
      return each(value, at, note, (item, place) => {
        if (typeof item !== 'string' && !(isObject(item) && typeof item['elementId'] === 'string')) {
          note(`${place}: must name an element`);
        }
      });
  }
}

function each(value: unknown, at: string, note: Note, check: (item: unknown, at: string) => void): void {
  if (!Array.isArray(value)) return note(`${at}: must be a list`);
  for (const [i, item] of (value as readonly unknown[]).entries()) check(item, `${at}[${i}]`);
}

function checkTyped(
  value: unknown,
  types: Readonly<Record<string, Fields>>,
  at: string,
  note: Note,
  depth: number,
): void {
  const type = isObject(value) ? value['type'] : undefined;
  const fields = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : undefined;
  if (fields === undefined)
    return note(`${at}: ${JSON.stringify(type)} is not one of ${Object.keys(types).join(', ')}`);
  checkFields(value, fields, at, note, depth);
}
