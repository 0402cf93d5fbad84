import { type FSWatcher, watch } from 'node:fs';

/**
 * Tells that something happened in one of some folders. It is a hint only: events may be lost or come too often, so whoever
 * is told looks at everything, and looks without being told as well.
 */
export class Watch {
  private readonly onChange: () => void;
  private readonly watchers = new Map<string, FSWatcher>();

  constructor(onChange: () => void) {
    this.onChange = onChange;
  }

  /** Watches these folders and no others. */
  look(folders: readonly string[]): void {
    for (const folder of this.watchers.keys()) if (!folders.includes(folder)) this.drop(folder);
    for (const folder of folders) if (!this.watchers.has(folder)) this.add(folder);
  }

  close(): void {
    for (const folder of this.watchers.keys()) this.drop(folder);
  }

  private add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, this.onChange);
      watcher.on('error', () => this.drop(folder));
      this.watchers.set(folder, watcher);
    } catch {
      // No such folder yet, or no watches left: the next look tries again.
    }
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }
}
