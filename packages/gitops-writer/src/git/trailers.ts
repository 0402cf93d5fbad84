import { identity, type Person } from './objects.ts';

const TRAILER = /^[A-Za-z0-9][A-Za-z0-9-]*: /;
const CONTINUED = /^[ \t]/;

/**
 * The message with `Signed-off-by` as its last trailer: below the trailers that it has, or as a paragraph of its own. A
 * message that ends in that very line stays as it is.
 */
export function withSignOff(message: string, person: Person): string {
  const line = `Signed-off-by: ${identity(person)}`;
  const text = message.replace(/\n+$/, '');
  const last = text.slice(text.lastIndexOf('\n\n') + 2).split('\n');
  const hasTrailers =
    text.includes('\n\n') &&
    TRAILER.test(last[0] ?? '') &&
    last.every((each) => TRAILER.test(each) || CONTINUED.test(each));
  if (hasTrailers && last.at(-1) === line) return `${text}\n`;
  return `${text}${hasTrailers ? '\n' : '\n\n'}${line}\n`;
}
