import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Tests that take long for their length: campaigns, stories and suites in a few lines. Without times of an earlier run, as in a fresh
 * clone, vitest begins with the largest files, and these would run alone at the end.
 */
export const FIRST: readonly string[] = [
  'test/e2e/readme.test.ts',
  'test/e2e/restarts.test.ts',
  'test/e2e/up.test.ts',
  'test/e2e/story.test.ts',
  'test/faults/',
  'test/conformance/kube/',
  'test/conformance/model-source/',
  'test/integration/queue/experiments.test.ts',
  'test/integration/monitor/monitor.test.ts',
  'test/integration/agent/queue.test.ts',
  'test/integration/intake/hooks.test.ts',
  'test/integration/day-two/',
  'test/integration/writer/live',
  'test/integration/monitor/policy.test.ts',
  'test/integration/monitor/recorder.test.ts',
  'test/integration/writer/rebuild.test.ts',
  'test/integration/writer/kills.test.ts',
  'test/integration/writer/rollback.test.ts',
  'test/integration/writer/promotion.test.ts',
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    const place = ({ project, moduleId }: TestSpecification) =>
      projects.indexOf(project.name) * (FIRST.length + 1) + rankOf(moduleId);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

const rankOf = (file: string): number => {
  const found = FIRST.findIndex((start) => file.includes(`/${start}`));
  return found === -1 ? FIRST.length : found;
};
