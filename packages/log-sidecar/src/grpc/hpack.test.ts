import { expect, test } from 'vitest';
import { HpackDecoder } from './hpack.ts';

type Fields = ReadonlyArray<readonly [string, string]>;

const decode = (decoder: HpackDecoder, hex: string): Fields => {
  const fields: Array<readonly [string, string]> = [];
  decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), (name, value) => void fields.push([name, value]));
  return fields;
};

const request = (...more: Fields): Fields => [[':method', 'GET'], ...more];
const REQUESTS: readonly Fields[] = [
  request([':scheme', 'http'], [':path', '/'], [':authority', 'www.example.com']),
  request([':scheme', 'http'], [':path', '/'], [':authority', 'www.example.com'], ['cache-control', 'no-cache']),
  request(
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ),
];
const LOCATION = ['location', 'https://www.example.com'] as const;
const answer = (status: string, second: string, ...more: Fields): Fields => [
  [':status', status],
  ['cache-control', 'private'],
  ['date', `Mon, 21 Oct 2013 20:13:${second} GMT`],
  LOCATION,
  ...more,
];
const ANSWERS: readonly Fields[] = [
  answer('302', '21'),
  answer('307', '21'),
  answer(
    '200',
    '22',
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ),
];

test.each<[string, string, Fields]>([
  [
    'C.2.1 literal with indexing',
    '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
    [['custom-key', 'custom-header']],
  ],
  ['C.2.2 literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']]],
  ['C.2.3 literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']]],
  ['C.2.4 indexed', '82', [[':method', 'GET']]],
])('RFC 7541 %s', (_, hex, fields) => {
  expect(decode(new HpackDecoder(4096), hex)).toEqual(fields);
});

test.each<[string, number, string[], readonly Fields[]]>([
  [
    'C.3 requests without Huffman coding',
    4096,
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    REQUESTS,
  ],
  [
    'C.4 requests with Huffman coding',
    4096,
    [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    REQUESTS,
  ],
  [
    'C.5 answers without Huffman coding, with a table of 256 octets',
    256,
    [
      '3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    ANSWERS,
  ],
  [
    'C.6 answers with Huffman coding, with a table of 256 octets',
    256,
    [
      '3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
    ANSWERS,
  ],
])('RFC 7541 %s', (_, cap, blocks, wanted) => {
  const decoder = new HpackDecoder(cap);
  expect(blocks.map((block) => decode(decoder, block))).toEqual(wanted);
});

test.each<[string, string]>([
  ['index 0', '80'],
  ['an entry that the table has not', 'be'],
  ['a text that is cut', '0005 61'],
  ['an integer without an end', '1fff ffff ffff ff'],
  ['an integer that is cut', '1f'],
  ['a larger table than anyone allowed', '3fe2 1f'],
  ['a table size behind a field', '8220'],
  ['EOS in a text', '0001 6184 ffff ffff'],
  ['8 bits of padding', '0001 6182 1fff'],
  ['padding of zeros', '0001 6181 00'],
])('%s is refused', (_, hex) => {
  expect(() => decode(new HpackDecoder(65_536), hex)).toThrow(RangeError);
});

test('a table grows only where the other side allowed it, and never beyond what is followed', () => {
  const decoder = new HpackDecoder(8192);
  expect(() => decode(decoder, '3fe1 3f')).toThrow(/8192 octets is not followed/);
  decoder.allow(65_536);
  expect(decode(decoder, '3fe1 3f')).toEqual([]);
  expect(() => decode(decoder, '3fe2 3f')).toThrow(/8193 octets is not followed/);
});

test('a table of no octets forgets everything, and holds nothing', () => {
  const decoder = new HpackDecoder(4096);
  decode(decoder, '4001 6101 62');
  expect(decode(decoder, 'be')).toEqual([['a', 'b']]);
  expect(decode(decoder, '20 4001 6101 62')).toEqual([['a', 'b']]);
  expect(() => decode(decoder, 'be')).toThrow(/no entry 62/);
});

test('a small block that names large entries is refused', () => {
  const decoder = new HpackDecoder(4096);
  const value = 'x'.repeat(4000);
  decode(decoder, `4001 61 7fa1 1e ${Buffer.from(value).toString('hex')}`);
  expect(decode(decoder, 'bebe')).toEqual([
    ['a', value],
    ['a', value],
  ]);
  expect(() => decode(decoder, 'be'.repeat(100))).toThrow(/fields are too large/);
});
