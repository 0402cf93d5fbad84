// A reporter beside the default one: what was not tested on this machine, and why, where it can be read at the end of a run.
export default class Skips {
  onTestRunEnd(modules) {
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const { note } = test.result();
        console.log(`skipped: ${module.relativeModuleId} > ${test.fullName}${note ? ` (${note})` : ''}`);
      }
    }
  }
}
