import { cellText } from './profile.ts';

const [TAB, SPACE, MINUS] = [9, 32, 45];
/** Powers of ten that are exact as doubles. */
const TENS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** An integer below it takes one more digit and stays exact: below 2^53. */
const ROOM_FOR_A_DIGIT = 9e14;
/** Digits behind those: with at most seven they are an exact integer, too. */
const MOST_MORE = 7;

/**
 * The cell in `bytes` as a finite number; NaN: missing (see {@link cellText}); infinite: anything else. Plain decimals of up to
 * 22 digits are read digit by digit, without a text; everything else goes through the engine's own conversion. Both
 * are correctly rounded.
 */
export function readNumber(bytes: Buffer, from: number, to: number): number {
  let at = from;
  let end = to;
  while (at < end && isBlank(bytes[at] as number)) at++;
  while (end > at && isBlank(bytes[end - 1] as number)) end--;
  const sign = bytes[at] === MINUS ? -1 : 1;
  let [whole, rest, more, digits] = [0, 0, 0, 0];
  let fraction = -1;
  for (let i = sign < 0 ? at + 1 : at; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit >= 0 && digit <= 9) {
      if (more === 0 && whole < ROOM_FOR_A_DIGIT) whole = whole * 10 + digit;
      else {
        rest = rest * 10 + digit;
        more++;
      }
      digits++;
      if (fraction >= 0) fraction++;
    } else if (digit === -2 && fraction < 0) fraction = 0;
    else return otherNumber(bytes, at, end);
  }
  if (digits === 0) return otherNumber(bytes, at, end);
  const power = Math.max(0, fraction);
  // An exact integer divided once by an exact power of ten is correctly rounded (Clinger 1990).
  if (more === 0 && power < TENS.length) return (sign * whole) / (TENS[power] as number);
  const long = more <= MOST_MORE && power < TENS.length ? longDecimal(whole, rest, more, power) : Number.NaN;
  return Number.isNaN(long) ? finite(Number(bytes.toString('latin1', at, end))) : sign * long;
}

/**
 * (whole × 10^more + rest) / 10^power with twice the digits of a double (Dekker 1971), so off by less than 2^-98 of
 * itself; NaN where a double's half-way point may lie within that.
 */
function longDecimal(whole: number, rest: number, more: number, power: number): number {
  const ten = TENS[more] as number;
  const product = whole * ten;
  const high = product + rest;
  const low = lostIn(whole, ten, product) + (rest - (high - product));
  const tens = TENS[power] as number;
  const quotient = high / tens;
  const back = quotient * tens;
  const error = (high - back - lostIn(quotient, tens, back) + low) / tens;
  const rounded = quotient + error;
  const left = error - (rounded - quotient);
  return rounded + left * 1.000000001 === rounded ? rounded : Number.NaN;
}

/** What `product`, a × b as a double, leaves out; exact. */
function lostIn(a: number, b: number, product: number): number {
  const [bigA, bigB] = [half(a), half(b)];
  const [smallA, smallB] = [a - bigA, b - bigB];
  return bigA * bigB - product + bigA * smallB + smallA * bigB + smallA * smallB;
}

/** The upper 26 bits of a double (Veltkamp 1968). */
function half(value: number): number {
  const shifted = value * 134217729;
  return shifted - (shifted - value);
}

const isBlank = (byte: number): boolean => byte === SPACE || byte === TAB;

function otherNumber(bytes: Buffer, from: number, to: number): number {
  if (from === to) return Number.NaN;
  const text = cellText(bytes.toString('utf8', from, to));
  if (text === null) return Number.NaN;
  return NUMBER.test(text) ? finite(Number(text)) : Number.POSITIVE_INFINITY;
}

const finite = (number: number): number => (Number.isFinite(number) ? number : Number.POSITIVE_INFINITY);
