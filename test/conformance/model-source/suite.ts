import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FairwayError } from '@fairway/core';
import { digestTree } from '@fairway/savedmodel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { misfit, type ModelFolder, notes, registration, savedModel } from './model.ts';
import type { StartedTarget, Target } from './target.ts';

const UNKNOWN = '987654321';

/** The error of a promise; fails when there is none. */
async function errorOf(promise: Promise<unknown>): Promise<FairwayError> {
  const value = await promise.then(
    (answer) => ({ answer }),
    (error: FairwayError) => ({ error }),
  );
  if ('error' in value) return value.error;
  return expect.fail(`it answered ${JSON.stringify(value.answer)}`);
}

/** What every model source has to keep. To add one: a target and a test file that calls this. */
export function modelSourceSuite({ name, start }: Target): void {
  describe(`the ${name} source`, () => {
    let target: StartedTarget;
    const folders: ModelFolder[] = [];
    beforeEach(async () => {
      target = await start();
    });
    afterEach(async () => {
      await target.stop();
      for (const { remove } of folders.splice(0)) remove();
    });

    const made = (folder: ModelFolder): ModelFolder => {
      folders.push(folder);
      return folder;
    };
    const register = async (weight: number) => {
      const { folder } = made(await savedModel(weight));
      const version = await target.register(folder, registration(target.of.model, String(weight)));
      return { version, folder, digest: await digestTree(folder) };
    };
    const load = (version: string) => target.source.load(target.of, version);
    const files = (version: string) => target.source.files(target.of, version);
    /** What whoever packs them would find. */
    const digestNow = async (version: string) => {
      const given = await files(version);
      try {
        return await digestTree(given.folder);
      } finally {
        await given.dispose();
      }
    };
    const left = () => (existsSync(target.scratch) ? readdirSync(target.scratch) : []);
    const hidden = ({ message, detail }: FairwayError) => {
      for (const secret of target.secrets) expect(`${message} ${JSON.stringify(detail)}`).not.toContain(secret);
    };

    describe('loading a version and giving its files', () => {
      it('agree on the digest, which is that of the folder', async () => {
        const { version, folder, digest } = await register(1);
        const { modelVersion } = await load(version);
        expect(modelVersion).toMatchObject({ model: target.of.model, version, digest });
        expect(modelVersion.signature).toMatchObject({
          inputs: [{ name: 'X', dtype: 'DT_FLOAT' }],
          outputs: [{ name: 'P_BAD1', dtype: 'DT_FLOAT' }],
        });
        const given = await files(version);
        expect(await digestTree(given.folder)).toBe(digest);
        for (const file of ['saved_model.pb', 'assets/words.txt', 'assets/large.bin'])
          expect(readFileSync(join(given.folder, file)).equals(readFileSync(join(folder, file)))).toBe(true);
        await given.dispose();
      });

      it('tell what is registered about the version', async () => {
        const { version } = await register(1);
        const { modelVersion, baseline } = await load(version);
        expect(modelVersion).toMatchObject({ target: { variable: 'BAD', probability: 'P_BAD1' } });
        expect(modelVersion.variables.map(({ name: variable, role }) => `${role} ${variable}`)).toEqual([
          'input X',
          'output P_BAD1',
        ]);
        expect(modelVersion.origin).toContain(target.of.source.registry);
        expect(baseline.variables.map(({ name: variable }) => variable)).toEqual(['X']);
      });

      it('leave nothing behind after disposal, and others what they have', async () => {
        const { version, digest } = await register(1);
        const [first, second] = [await files(version), await files(version)];
        await first.dispose();
        await first.dispose();
        expect(await digestTree(second.folder)).toBe(digest);
        await second.dispose();
        expect(left()).toEqual([]);
        expect(await digestNow(version)).toBe(digest);
      });

      it('see bytes that were changed between them', async () => {
        const { version } = await register(1);
        const before = (await load(version)).modelVersion.digest;
        await target.tamper(version);
        const after = await digestNow(version);
        expect(after).not.toBe(before);
        expect((await load(version)).modelVersion.digest).toBe(after);
      });

      it('name what there is when a version or a model is unknown', async () => {
        const { version } = await register(1);
        for (const ask of [load, files]) {
          const error = await errorOf(ask(UNKNOWN));
          expect(error).toMatchObject({ code: 'model.unknown' });
          expect(error.message).toContain(UNKNOWN);
          expect(error.message).toContain(version);
          hidden(error);
        }
        const error = await errorOf(target.source.load(target.unknown, '1'));
        expect(error).toMatchObject({ code: 'model.unknown' });
        hidden(error);
        expect(left()).toEqual([]);
      });

      it('refuse what is no SavedModel, and keep nothing of it', async () => {
        const version = await target.register(made(notes()).folder, registration(target.of.model));
        for (const ask of [load, digestNow]) {
          const error = await errorOf(ask(version));
          expect(error).toMatchObject({ code: 'model.invalid', disposition: 'terminal' });
          hidden(error);
        }
        expect(left()).toEqual([]);
      });
    });

    it('lists every reason why a SavedModel does not fit what is registered', async () => {
      const { folder } = made(await savedModel(1));
      const version = await target.register(folder, misfit(target.of.model));
      const error = await errorOf(load(version));
      expect(error).toMatchObject({ code: 'model.invalid' });
      const problems = error.detail['problems'] as readonly string[];
      for (const variable of ['LOAN', 'JOB', 'X'])
        expect(problems.filter((problem) => new RegExp(`\\b${variable}\\b`).test(problem))).toHaveLength(1);
      for (const problem of problems) expect(error.message).toContain(problem);
      expect(left()).toEqual([]);
    });

    it('lists versions, oldest first', async () => {
      expect(await target.source.versions(target.of)).toEqual([]);
      const registered: string[] = [];
      for (const weight of [1, 2, 3]) registered.push((await register(weight)).version);
      expect((await target.source.versions(target.of)).map(({ version }) => version)).toEqual(registered);
    });

    describe('the champion', () => {
      const champion = () => target.source.champion(target.of);

      it('is nobody until somebody is crowned, and after the crown is taken back', async () => {
        expect(await champion()).toBeUndefined();
        const { version } = await register(1);
        expect(await champion()).toBeUndefined();
        await target.crown(version);
        expect(await champion()).toMatchObject({ version });
        await target.crown(undefined);
        expect(await champion()).toBeUndefined();
      });

      it('has the same fingerprint as long as nothing changes', async () => {
        await target.crown((await register(1)).version);
        const first = await champion();
        expect(first?.fingerprint).toMatch(/^[\x21-\x7e]{1,100}$/);
        await register(2);
        expect((await champion())?.fingerprint).toBe(first?.fingerprint);
      });

      it('has another one when another version is crowned, and when its content changes', async () => {
        const [first, second] = [await register(1), await register(2)];
        await target.crown(first.version);
        const one = (await champion())?.fingerprint;
        await target.crown(second.version);
        const other = await champion();
        expect(other).toMatchObject({ version: second.version });
        expect(other?.fingerprint).not.toBe(one);
        await target.tamper(second.version);
        expect((await champion())?.fingerprint).not.toBe(other?.fingerprint);
      });

      it('is named as hooks name it', async () => {
        await target.crown((await register(1)).version);
        const names = Object.values((await champion())?.names ?? {});
        expect(names.length).toBeGreaterThan(1);
        for (const name of names) expect(name).toMatch(/./);
      });

      it('can be loaded', async () => {
        const { version, digest } = await register(1);
        await target.crown(version);
        expect((await load((await champion())?.version ?? '')).modelVersion.digest).toBe(digest);
      });
    });

    it('examines a model that can travel without a word', async () => {
      await target.crown((await register(1)).version);
      expect(await target.source.examine(target.of)).toEqual([]);
    });

    it('says in a sentence that the registry is down, and goes on when it is back', async () => {
      const { version, digest } = await register(1);
      await target.crown(version);
      await target.down();
      const { source, of } = target;
      const asks = [load(version), files(version), source.versions(of), source.champion(of)];
      for (const error of await Promise.all(asks.map(errorOf))) {
        expect(error).toMatchObject({ code: 'registry.unavailable', disposition: 'retryable' });
        expect(error.message).toContain(target.setting);
        hidden(error);
      }
      expect(left()).toEqual([]);
      await target.up();
      expect((await load(version)).modelVersion.digest).toBe(digest);
      expect(await source.champion(of)).toMatchObject({ version });
    });
  });
}
