import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directorySource } from '../../../packages/gitops-writer/src/sources/directory/source.ts';
import type { Target } from './target.ts';

const MODEL = 'home-equity';

/** The registry folder, as the trainer and CI fill it. */
export const directoryTarget: Target = {
  name: 'directory',
  start: () => {
    const dir = mkdtempSync(join(tmpdir(), 'fairway-source-'));
    const registry = join(dir, 'registry');
    const model = join(registry, MODEL);
    mkdirSync(registry);
    return Promise.resolve({
      source: directorySource(registry),
      of: { model: MODEL, source: { registry: 'directory' } },
      unknown: { model: 'nobody', source: { registry: 'directory' } },
      scratch: join(dir, 'scratch'),
      setting: 'MODEL_DIRECTORY',
      secrets: [],
      register: (folder, registration) => {
        mkdirSync(model, { recursive: true });
        const version = String(1 + readdirSync(model).filter((name) => /^\d+$/.test(name)).length);
        const half = join(model, `.half-${version}`);
        cpSync(folder, half, { recursive: true });
        for (const [name, value] of Object.entries(registration))
          writeFileSync(join(half, name), JSON.stringify(name === 'baseline.json' ? stamped(value, version) : value));
        renameSync(half, join(model, version));
        return Promise.resolve(version);
      },
      crown: (version) => {
        const file = join(model, 'champion');
        if (version === undefined) rmSync(file, { force: true });
        else {
          writeFileSync(`${file}.new`, `${version}\n`);
          renameSync(`${file}.new`, file);
        }
        return Promise.resolve();
      },
      tamper: (version) => {
        appendFileSync(join(model, version, 'assets', 'words.txt'), 'one more\n');
        return Promise.resolve();
      },
      down: () => Promise.resolve(renameSync(registry, join(dir, 'unmounted'))),
      up: () => Promise.resolve(renameSync(join(dir, 'unmounted'), registry)),
      stop: () => Promise.resolve(rmSync(dir, { recursive: true, force: true })),
    });
  },
};

const stamped = (baseline: unknown, version: string): object => ({ ...(baseline as object), version });
