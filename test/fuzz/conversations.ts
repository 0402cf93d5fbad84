import fc from 'fast-check';
import { mutated, type Mutation, mutations } from './mutations.ts';

/** Bytes of the client (`q`) or of the model (`s`), in the order in which they pass. */
export type Step = { readonly side: 'q' | 's'; readonly bytes: Buffer };

export type Conversation = {
  readonly steps: readonly Step[];
  /** Who leaves in the end. */
  readonly ending: 'model' | 'client';
};

type Message = { readonly head: string; readonly body: string };
type Exchange = { readonly request: Message; readonly answers: readonly Message[] };

const mostly = <T>(usual: readonly T[], games: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...games) });

const MODEL = '/v1/models/m';
const CALLS = [`${MODEL}:predict`, `${MODEL}/versions/7:classify`, `${MODEL}/labels/a:regress`];
const target = mostly(
  [...CALLS, ...CALLS, MODEL, `${MODEL}/metadata`, '/monitoring/prometheus/metrics', '/', '*'],
  [
    `${MODEL}\xff:predict`,
    `${MODEL}\x01:predict`,
    `${MODEL}\t:predict`,
    'm:predict',
    `${MODEL}#:predict`,
    'http://h/v1',
  ],
);
const method = mostly(
  ['POST', 'POST', 'POST', 'POST', 'GET', 'HEAD', 'OPTIONS', 'PUT'],
  ['post', 'PRI', 'CONNECT', 'FOO', 'P', 'SOURCE', 'PO ST', ''],
);
const version = mostly(['1.1', '1.1', '1.1', '1.0'], ['1.2', '2.0', '0.9', '1.', '11', '1.1 ']);
const status = mostly([200, 200, 200, 400, 404, 503, 204, 304, 205].map(String), [
  '099',
  '20',
  '1000',
  '600',
  '100',
  '101',
  '103',
  '+200',
  '200x',
  ' 200',
]);
const reason = mostly([' OK', ' OK', ' ', ''], [' \x01', ' \xff', ' a\tb', 'OK', ' \0']);
const eol = mostly(['\r\n'], ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '']);

const FIELDS = [
  'Host: x',
  'Connection: close',
  'Connection: keep-alive',
  'Expect: 100-continue',
  'X-Request-Id: a b',
  'X:',
  'x-fairway-id: theirs',
  'Upgrade: h2c',
  Array.from({ length: 40 }, (_, i) => `X-${i}: y`).join('\r\n'),
];
const FIELD_GAMES = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length : 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: 5,5',
  'Content-Length: 5 5',
  'Content-Length:',
  'Content-Length: 05',
  'Content-Length: 99999999999999999999',
  'Content-Length:\t2 ',
  'Content-Length: 2\x0b',
  'Content-Length:\xa02',
  'Content\xadLength: 2',
  'Transfer-Encoding: chunked',
  'transfer-encoding:\tchunked\t',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding:',
  'Transfer-Encoding : chunked',
  'Connection: Upgrade\r\nUpgrade: h2c',
  'Connection: Content-Length, Transfer-Encoding',
  ' folded',
  'A: b\r\n\tfolded',
  'A: b\nContent-Length: 3',
  'A: b\rContent-Length: 3',
  'A: b\r\n\nC: d',
  'A: b\x01',
  'A: \x7f',
  'A: \xff',
  'A: \0',
  ': nameless',
  'na me: x',
  'na\xffme: x',
  'nothing',
];
const field = mostly(FIELDS, FIELD_GAMES);
const huge = fc.constantFrom(16_000, 32_000, 32_700, 33_000, 70_000).map((n) => `X: ${'y'.repeat(n)}`);
const fields = fc.oneof(
  { weight: 60, arbitrary: fc.array(field, { maxLength: 3 }) },
  { weight: 1, arbitrary: huge.map((one) => [one]) },
);

const data = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom(
    '',
    '\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n',
    `POST ${MODEL}:predict HTTP/1.1\r\nContent-Length: 0\r\n\r\n`,
    '0\r\n\r\n',
    'x'.repeat(3000),
  ),
);

const extension = mostly(
  ['', '', '', ';a', ';a=b', ';a="x y"'],
  [' ', '\t', ';', '; a', ';a=b c', ';a="\x01"', ';\xff', ';a="\\""', ';a="', ';a;b', ';='],
);
const chunk = fc
  .tuple(data, extension, mostly(['', '', '0', '000'], ['+', '-', '0x', ' ', '100000000', '\n']), eol)
  .map(([text, more, lead, end]) => `${lead}${text.length.toString(16)}${more}\r\n${text}${end}`);
const trailer = mostly(
  ['', '', 'T: v\r\n', 'Content-Length: 9\r\n'],
  [
    'bad\r\n',
    ' : x\r\n',
    'a b: x\r\n',
    'A: \x01\r\n',
    'A: b\n',
    'A: b\r\n c\r\n',
    ': x\r\n',
    'A: \xff\r\n',
    'A : b\r\n',
  ],
);
const chunked: fc.Arbitrary<Framed> = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), extension, trailer, eol)
  .map(([chunks, more, trailers, end]) => ({
    field: 'Transfer-Encoding: chunked',
    body: `${chunks.filter((one) => !/^0+[;\r]/.test(one)).join('')}0${more}\r\n${trailers}${end}`,
  }));
const sized: fc.Arbitrary<Framed> = fc
  .tuple(data, mostly([0], [1, -1, 7]))
  .map(([body, lie]) => ({ field: `Content-Length: ${Math.max(0, body.length + lie)}`, body }));
const none: fc.Arbitrary<Framed> = fc.constant({ field: undefined, body: '' });
const open: fc.Arbitrary<Framed> = data.map((body) => ({ field: undefined, body }));

/** How the end of a body is told: by a field, or not at all. */
type Framed = { readonly field: string | undefined; readonly body: string };

function message(start: string, lines: readonly string[], framed: Framed, end: string): Message {
  const all = [start, ...lines, ...(framed.field === undefined ? [] : [framed.field])];
  const first = all[0] ?? '';
  // The odd line end goes behind the last line but one: line starts and the blank line both get their share.
  return { head: `${[first, ...all.slice(1)].join('\r\n')}${end}\r\n`, body: framed.body };
}

const request = fc
  .tuple(method, target, version, fields, fc.oneof(sized, sized, chunked, none), eol)
  .map(([verb, to, v, lines, framed, end]) => message(`${verb} ${to} HTTP/${v}`, lines, framed, end));
const answer = fc
  .tuple(
    fc.tuple(version, status, reason),
    fields,
    fc.oneof({ weight: 6, arbitrary: sized }, { weight: 3, arbitrary: chunked }, { weight: 1, arbitrary: open }, none),
    eol,
  )
  .map(([[v, code, why], lines, framed, end]) => message(`HTTP/${v} ${code}${why}`, lines, framed, end));
const interim = mostly(
  [[], [], [], [{ head: 'HTTP/1.1 100 Continue\r\n\r\n', body: '' }]],
  [
    [{ head: 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n', body: '' }],
    [{ head: 'HTTP/1.1 102 P\r\nContent-Length: 3\r\n\r\n', body: '' }],
    [{ head: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', body: '' }],
  ],
);

/** An answer without a body where none may follow: mostly, since a server that errs is a case as well. */
const exchange: fc.Arbitrary<Exchange> = fc
  .tuple(request, interim, answer, fc.nat(9))
  .map(([asked, first, told, lie]) => {
    const bare = asked.head.startsWith('HEAD ') || /^HTTP\/1\.[01] (?:204|304)/.test(told.head);
    return { request: asked, answers: [...first, bare && lie > 0 ? { ...told, body: '' } : told] };
  });

const step = (side: 'q' | 's', text: string): Step => ({ side, bytes: Buffer.from(text, 'latin1') });
const whole = ({ head, body }: Message): string => head + body;

/** Turn by turn, all questions first, the answer before the question's body, or cut off before the last answer. */
function ordered(exchanges: readonly Exchange[], order: 'turns' | 'pipeline' | 'early' | 'unanswered'): Step[] {
  const asked = exchanges.map((one) => step('q', whole(one.request)));
  const told = exchanges.map(({ answers }) => step('s', answers.map(whole).join('')));
  switch (order) {
    case 'turns':
      return asked.flatMap((one, i) => [one, told[i] as Step]);
    case 'pipeline':
      return [...asked, ...told];
    case 'early':
      return exchanges.flatMap(({ request: { head, body } }, i) => [step('q', head), told[i] as Step, step('q', body)]);
    case 'unanswered':
      return [...asked, ...told.slice(0, -1)];
    default:
      return order satisfies never;
  }
}

const GAMES: ReadonlyArray<readonly [from: string, to: string]> = [
  ['\r\n', '\n'],
  ['\r\n', '\r'],
  ['\r\n', '\r\r\n'],
  ['\r\n', '\r\n '],
  ['\r\n', ''],
  [': ', ' : '],
  ['Content-Length', 'Transfer-Encoding'],
  ['HTTP/1.1', 'HTTP/1.0'],
  ['POST', 'HEAD'],
];
type Damage =
  | { readonly kind: 'bytes'; readonly changes: readonly Mutation[] }
  | { readonly kind: 'game'; readonly game: number; readonly nth: number };
const damage: fc.Arbitrary<Damage> = fc.oneof(
  mutations.map((changes) => ({ kind: 'bytes' as const, changes })),
  fc.record({ kind: fc.constant('game' as const), game: fc.nat(GAMES.length - 1), nth: fc.nat(6) }),
);

function damaged(bytes: Buffer, how: Damage): Buffer {
  if (how.kind === 'bytes') return mutated(bytes, how.changes);
  const [from, to] = GAMES[how.game] as (typeof GAMES)[number];
  const parts = bytes.toString('latin1').split(from);
  const nth = how.nth % parts.length;
  if (nth === 0) return bytes;
  return Buffer.from(`${parts.slice(0, nth).join(from)}${to}${parts.slice(nth).join(from)}`, 'latin1');
}

/** Steps of one side that follow each other come as one, cut where nobody expects it: `all` is after every byte. */
function cut(steps: readonly Step[], places: readonly number[] | 'all'): Step[] {
  const joined: Step[] = [];
  for (const { side, bytes } of steps) {
    const last = joined.at(-1);
    if (last?.side === side) joined[joined.length - 1] = { side, bytes: Buffer.concat([last.bytes, bytes]) };
    else joined.push({ side, bytes });
  }
  return joined.flatMap(({ side, bytes }) => {
    const size = bytes.length;
    const inner = places === 'all' && size < 4000 ? Array.from({ length: size }, (_, i) => i) : sharesOf(places, size);
    const bounds = [0, ...inner, size];
    return bounds.slice(1).map((end, i) => ({ side, bytes: bytes.subarray(bounds[i], end) }));
  });
}

const sharesOf = (places: readonly number[] | 'all', size: number): number[] =>
  places === 'all' ? [] : places.map((share) => Math.floor(share * size)).sort((a, b) => a - b);

const share = fc.noBias(fc.nat(2 ** 30 - 1)).map((x) => x / 2 ** 30);

export const conversations: fc.Arbitrary<Conversation> = fc
  .record({
    exchanges: fc.array(exchange, { minLength: 1, maxLength: 4 }),
    order: fc.constantFrom(
      'turns' as const,
      'turns' as const,
      'pipeline' as const,
      'early' as const,
      'unanswered' as const,
    ),
    hurt: fc.option(fc.record({ at: share, how: damage }), { freq: 2 }),
    cuts: fc.oneof(fc.array(share, { maxLength: 12 }), fc.constant('all' as const)),
    ending: fc.constantFrom('model' as const, 'model' as const, 'client' as const),
  })
  .map(({ exchanges, order, hurt, cuts, ending }) => {
    const steps = ordered(exchanges, order);
    const victim = hurt === null ? -1 : Math.floor(hurt.at * steps.length);
    const changed = steps.map((one, i) =>
      i === victim && hurt !== null ? { ...one, bytes: damaged(one.bytes, hurt.how) } : one,
    );
    return told({ steps: cut(changed, cuts).filter(({ bytes }) => bytes.length > 0), ending });
  });

/** As a failure shows it: one quoted piece for each step, instead of numbers. */
function told(one: Conversation): Conversation {
  const pieces = one.steps.map(({ side, bytes }) => `${side}${JSON.stringify(bytes.toString('latin1'))}`);
  return Object.assign(one, { [fc.toStringMethod]: () => `${pieces.join(' ')} ${one.ending}` });
}
