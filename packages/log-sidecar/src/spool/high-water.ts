import { close, mkdir, open, write } from 'node:fs';
import type { Reach } from '../ports.ts';
import { encodeHigh, highFile } from './high-file.ts';

/** So often the file is made to fit what comes. */
const TICK_MS = 50;
/** It promises so many times what came in the last tick, and so many numbers at least. */
const AHEAD = 2;
const LEAST = 4;

/**
 * Keeps the file that says how far an epoch has counted, at most, ahead of the hop: written at once when the hop counts
 * further, then every 50 ms while numbers are given, and exact when none are. Nothing waits for a write; only the
 * numbers given beyond the promise while one is under way are not in the file.
 */
export class HighWaterFile implements Reach {
  private readonly taken: () => number;
  private readonly bytes = encodeHigh({ high: 0, taken: 0 });
  private given = 0;
  private seen = 0;
  private promised = 0;
  private stands = -1;
  private fd: number | undefined;
  private isBusy = true;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;

  /** `taken`: up to where the capture thread has taken over. A folder that cannot be used means no file. */
  constructor(directory: string, epoch: string, taken: () => number) {
    this.taken = taken;
    mkdir(directory, { recursive: true, mode: 0o700 }, () => {
      open(highFile(directory, epoch), 'w', 0o600, (error, fd) => {
        if (error) return;
        this.fd = fd;
        this.isBusy = false;
        this.flush();
      });
    });
  }

  reach(seq: number): void {
    this.given = seq;
    if (seq <= this.promised) return;
    this.promise(seq + Math.max(LEAST, seq - this.seen));
    this.timer ??= setTimeout(() => this.tick(), TICK_MS).unref();
  }

  end(): void {
    clearTimeout(this.timer);
    this.ended = true;
    this.promise(this.given);
  }

  private tick(): void {
    const came = this.given - this.seen;
    this.seen = this.given;
    this.timer = came === 0 ? undefined : setTimeout(() => this.tick(), TICK_MS).unref();
    this.promise(this.given + came * AHEAD);
  }

  private promise(high: number): void {
    this.promised = high;
    this.flush();
  }

  private flush(): void {
    const { fd } = this;
    if (this.isBusy || fd === undefined) return;
    if (this.stands === this.promised) {
      if (this.ended) this.leave(fd);
      return;
    }
    const high = this.promised;
    encodeHigh({ high, taken: this.taken() }).copy(this.bytes);
    this.isBusy = true;
    write(fd, this.bytes, 0, this.bytes.length, 0, (error) => {
      this.isBusy = false;
      if (!error) {
        this.stands = high;
        this.flush();
      } else if (this.ended) this.leave(fd);
      // Else a disk that refuses is asked again with the next promise.
    });
  }

  private leave(fd: number): void {
    this.fd = undefined;
    close(fd, () => {});
  }
}
