import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

// A reporter beside the default one: what was not tested on this machine, and why, where it can be read at the end of a run. What nobody
// caught outside a test goes beside the JSON report, which does not have it.
export default class Skips {
  #unhandled;

  onInit({ config: { outputFile } }) {
    this.#unhandled = outputFile?.json?.replace(/json$/, 'unhandled.json');
  }

  onTestRunEnd(modules, unhandledErrors) {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const { note } = test.result();
        console.log(`skipped: ${module.relativeModuleId} > ${test.fullName}${note ? ` (${note})` : ''}`);
      }
    }
    if (this.#unhandled === undefined) return;
    const errors = unhandledErrors.map(({ VITEST_TEST_PATH: file, message }) => ({
      file: file === undefined ? '' : relative(process.cwd(), file),
      message,
    }));
    writeFileSync(this.#unhandled, JSON.stringify(errors));
  }
}
