import { failed, succeeded } from '@fairway/core';
import type { Step } from '../step.ts';
import { modelChanged } from './validate.ts';

/** The image is packed from a private copy whose digest was checked, so no later write to the registry can slip in. */
export const build: Step = {
  name: 'build',
  async run({ change, evidence }, { source, images }) {
    const held = await source.copy(change.model, change.version);
    try {
      const { modelVersion, folder } = held;
      if (evidence.kind === 'deploy' && modelVersion.digest !== evidence.digest)
        return failed(modelChanged(change, modelVersion.digest));
      return succeeded({ phase: 'built', image: await images.build({ modelVersion, folder }) });
    } finally {
      await held.dispose();
    }
  },
};
