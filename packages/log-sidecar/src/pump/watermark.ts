const REFUSE_ABOVE = 0.7;
const RESUME_BELOW = 0.6;
/** What Redis says holds for so long: it takes no more than a few packs meanwhile. */
const FRESH_MS = 250;

/**
 * Whether Redis has room for another pack. Finishing a job needs memory too, so a Redis that is full of packs can never be
 * emptied again (capture reference §5.3, E1): we stop at 70 % of its `maxmemory`, and go on below 60 %.
 */
export class Watermark {
  private readonly info: () => Promise<string>;
  private readonly now: () => number;
  private readAt = Number.NEGATIVE_INFINITY;
  private above = false;

  /** `info`: the answer to INFO memory. `now`: monotonic ms. */
  constructor(info: () => Promise<string>, now: () => number) {
    this.info = info;
    this.now = now;
  }

  /** What was found when it was asked last. */
  get wasReached(): boolean {
    return this.above;
  }

  async isReached(): Promise<boolean> {
    if (this.now() - this.readAt < FRESH_MS) return this.above;
    const text = await this.info();
    this.readAt = this.now();
    const share = number(text, 'used_memory') / number(text, 'maxmemory');
    // No maxmemory is 0, and so no share: nothing is ever refused.
    this.above = Number.isFinite(share) && share >= (this.above ? RESUME_BELOW : REFUSE_ABOVE);
    return this.above;
  }
}

const number = (text: string, field: string): number =>
  Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
