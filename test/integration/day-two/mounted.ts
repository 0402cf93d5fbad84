import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Mounted = {
  /** `NAME_FILE` of each key. */
  readonly env: Readonly<Record<string, string>>;
  /** All keys change at once, by one symbolic link, as the kubelet does it. */
  readonly write: (values: Readonly<Record<string, string>>) => void;
  readonly remove: () => void;
};

/** A Secret as it is mounted in a pod: one file for each key. */
export function mountSecret(values: Readonly<Record<string, string>>): Mounted {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-mounted-'));
  let generation = 0;
  const write = (all: Readonly<Record<string, string>>) => {
    const folder = join(dir, `..${generation++}`);
    mkdirSync(folder);
    for (const [name, value] of Object.entries(all)) writeFileSync(join(folder, name), value);
    symlinkSync(folder, join(dir, '..next'));
    renameSync(join(dir, '..next'), join(dir, '..data'));
  };
  write(values);
  const names = Object.keys(values);
  return {
    env: Object.fromEntries(names.map((name) => [`${name}_FILE`, join(dir, '..data', name)])),
    write,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
