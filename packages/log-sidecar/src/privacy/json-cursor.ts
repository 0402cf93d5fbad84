/** Deeper than any tensor. */
const MOST_LEVELS = 32;

const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
/** TensorFlow Serving's dialect: bare NaN and infinities. */
const BARE = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Inf(?:inity)?|true|false|null/y;
const ESCAPES = new Set('"\\/bfnrtu');
const [QUOTE, BACKSLASH, FIRST_PRINTABLE] = [0x22, 0x5c, 0x20];

/** A place in a JSON text. Every step looks at each character once; what is no JSON throws SyntaxError. */
export class JsonCursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(): never {
    throw new SyntaxError('no JSON value');
  }

  /** The place after white space. */
  next(): number {
    while (SPACES.has(this.text.charCodeAt(this.at))) this.at++;
    return this.at;
  }

  /** The next character after white space; '' at the end. */
  peek(): string {
    return this.text[this.next()] ?? '';
  }

  /** Steps over an opening bracket. */
  open(depth: number): void {
    if (depth >= MOST_LEVELS) this.fail();
    this.at++;
  }

  /** Steps over a comma; false before the closing bracket. */
  separator(closing: string): boolean {
    const found = this.peek();
    if (found === closing) return false;
    if (found !== ',') this.fail();
    this.at++;
    return true;
  }

  /** Steps over a name and its colon. */
  name(): string {
    if (this.peek() !== '"') this.fail();
    const start = this.at;
    this.string();
    const written = this.text.slice(start, this.at);
    if (this.peek() !== ':') this.fail();
    this.at++;
    return written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
  }

  /** Steps over a text, number, truth or null that starts here. */
  leaf(first: string): void {
    if (first === '"') return this.string();
    BARE.lastIndex = this.at;
    if (!BARE.test(this.text)) this.fail();
    this.at = BARE.lastIndex;
  }

  private string(): void {
    for (let at = this.at + 1; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) {
        this.at = at + 1;
        return;
      }
      if (code < FIRST_PRINTABLE || (code === BACKSLASH && !ESCAPES.has(this.text[++at] ?? ''))) this.fail();
    }
    this.fail();
  }
}
