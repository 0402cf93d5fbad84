/** Longer cells are seldom the same twice. */
const LONGEST = 32;
const SLOTS = 4096;

/**
 * Texts of bytes, each made once while it comes again and again, as categories do: what is looked for lies in the slot of
 * its bytes' hash, and is compared byte by byte.
 */
export class SeenTexts {
  private readonly bytes = new Uint8Array(SLOTS * LONGEST);
  private readonly lengths = new Uint8Array(SLOTS);
  private readonly texts: string[] = Array.from({ length: SLOTS }, () => '');

  /** `bytes[start..end)` as UTF-8. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0 || length > LONGEST) return bytes.toString('utf8', start, end);
    // FNV-1a; the upper bits are better mixed than the lower ones.
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    if (this.holds(slot, bytes, start, length)) return this.texts[slot] as string;
    return this.keep(slot, bytes, start, end);
  }

  private holds(slot: number, bytes: Buffer, start: number, length: number): boolean {
    if (this.lengths[slot] !== length) return false;
    const from = slot * LONGEST;
    for (let i = 0; i < length; i++) if (this.bytes[from + i] !== bytes[start + i]) return false;
    return true;
  }

  private keep(slot: number, bytes: Buffer, start: number, end: number): string {
    for (let at = start; at < end; at++) this.bytes[slot * LONGEST + at - start] = bytes[at] as number;
    this.lengths[slot] = end - start;
    const text = bytes.toString('utf8', start, end);
    this.texts[slot] = text;
    return text;
  }
}
