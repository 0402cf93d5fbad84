import { type Viewed, viewed } from './viewed.ts';

/** Some more are written than are asked for, and then written over. */
const MORE = 4;

/** A text put together from pieces of UTF-8: one text that lies in one place, where `+` leaves a tree of parts. */
export class TextWriter {
  private into = viewed(Buffer.allocUnsafeSlow(4096));
  private at = 0;
  private isAscii = true;

  begin(): void {
    [this.at, this.isAscii] = [0, true];
  }

  all(from: Viewed): void {
    this.bytes(from, 0, from.bytes.length);
  }

  bytes({ bytes, view }: Viewed, start: number, end: number): void {
    this.reserve(end - start);
    const { into } = this;
    let [from, at, seen] = [start, this.at, 0];
    for (const last = Math.min(end, bytes.length - MORE + 1); from < last; from += 4, at += 4) {
      const four = view.getUint32(from);
      into.view.setUint32(at, four);
      seen |= four;
    }
    for (; from < end; from++, at++) {
      const byte = bytes[from] as number;
      into.bytes[at] = byte;
      seen |= byte;
    }
    // What was looked at beyond the end may say of ASCII that it is more, which does no harm.
    if ((seen & 0x8080_8080) !== 0) this.isAscii = false;
    this.at += end - start;
  }

  /** `text` is ASCII. */
  text(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.into.bytes[this.at++] = text.charCodeAt(i);
  }

  end(): string {
    return this.into.bytes.toString(this.isAscii ? 'latin1' : 'utf8', 0, this.at);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes + MORE <= this.into.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow((this.at + bytes + MORE) * 2);
    this.into.bytes.copy(larger, 0, 0, this.at);
    this.into = viewed(larger);
  }
}
