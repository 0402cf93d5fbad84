import { Spans } from './spans.ts';

/** So many bytes wait to be used again at most. */
const SPARE_BYTES = 4 * 1024 * 1024;
const GRAIN = 16 * 1024;
const SPARE_SPANS = 16;
const NONE = new Spans();

/**
 * Memory for what packs keep until they are sent, used again. Made anew for each group it would outlive V8's young generation, and
 * every few packs would count as an old generation that has grown by a third, which is collected then.
 */
export class Pieces {
  private readonly spare: ArrayBuffer[] = [];
  private bytes = 0;
  private readonly spareSpans: Spans[] = [];

  /** A piece of at least `length` bytes, whatever is in it. */
  take(length: number): Buffer {
    const found = this.spare.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 2 * length + GRAIN);
    const [again] = found < 0 ? [] : this.spare.splice(found, 1);
    if (!again) return Buffer.allocUnsafeSlow(Math.ceil(length / GRAIN) * GRAIN);
    this.bytes -= again.byteLength;
    return Buffer.from(again);
  }

  /** `piece`, or a part of it, is read by nobody any more. */
  give({ buffer }: Buffer): void {
    if (this.bytes + buffer.byteLength > SPARE_BYTES) return;
    this.spare.push(buffer as ArrayBuffer);
    this.bytes += buffer.byteLength;
  }

  /** None yet, for a pack that begins. */
  takeSpans(): Spans {
    return this.spareSpans.pop() ?? new Spans();
  }

  /** Nobody reads them any more. Answers what a pack has whose versions are decided: none. */
  giveSpans(spans: Spans): Spans {
    spans.clear();
    if (this.spareSpans.length < SPARE_SPANS) this.spareSpans.push(spans);
    return NONE;
  }
}
