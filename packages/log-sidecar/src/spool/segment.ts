import { closeSync, fdatasync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

export type DiskProblem = 'disk_full' | 'disk_error';

const datasync = promisify(fdatasync);

/** One append-only file of the spool. */
export class Segment {
  readonly path: string;
  size: number;
  /** Closed packs in it that are not done. */
  packs = 0;
  private fd: number | undefined;
  private readonly synced: boolean;
  private last: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;
  private retired: Promise<void> | undefined;

  private constructor(path: string, size: number, fd: number | undefined, synced: boolean) {
    this.path = path;
    this.size = size;
    this.fd = fd;
    this.synced = synced;
  }

  /** Throws the system's error when the file cannot be made. Not `synced`: fdatasync is never asked for. */
  static create(path: string, synced: boolean): Segment {
    return new Segment(path, 0, openSync(path, 'ax', 0o600), synced);
  }

  static existing(path: string, size: number): Segment {
    return new Segment(path, size, undefined, true);
  }

  /** Appends frames, all or none of them, in this tick. */
  append(frames: Buffer): DiskProblem | undefined {
    let fd: number | undefined;
    try {
      fd = this.fd ?? openSync(this.path, 'r+');
      if (writeSync(fd, frames, 0, frames.length, this.size) < frames.length) {
        // The disk filled up in the middle.
        ftruncateSync(fd, this.size);
        return 'disk_full';
      }
      this.size += frames.length;
      return undefined;
    } catch (error) {
      return diskProblem(error);
    } finally {
      if (fd !== undefined && fd !== this.fd) close(fd);
    }
  }

  /** Resolves when all bytes appended before the call are on the disk, or the disk has said that it cannot. */
  sync(): Promise<void> {
    if (!this.queued) {
      this.queued = this.last.then(async () => {
        this.queued = undefined;
        if (this.fd !== undefined && this.synced) await datasync(this.fd).catch(() => {});
      });
      this.last = this.queued;
    }
    return this.queued;
  }

  /** No more exchanges go into it; notes still may. Closed behind the syncs under way, before any that comes later. */
  retire(): Promise<void> {
    this.retired ??= this.sync().then(() => {
      if (this.fd !== undefined) close(this.fd);
      this.fd = undefined;
    });
    this.last = this.retired;
    return this.retired;
  }

  async read(start: number, end: number): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  remove(): void {
    try {
      unlinkSync(this.path);
    } catch {
      // Already gone, or the disk is read-only: a later start finds its packs done or sends them again.
    }
  }
}

function close(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The disk has gone; the descriptor is free all the same.
  }
}

export function diskProblem(error: unknown): DiskProblem {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk_full' : 'disk_error';
}
