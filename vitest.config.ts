import { defineConfig } from 'vitest/config';
import LongestFirst from './test/harness/longest-first.ts';

const shared = { resolve: { conditions: ['source'] }, ssr: { resolve: { conditions: ['source'] } } };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          // Unit tests share nothing by rule, so they may share a worker: importing is most of their time.
          pool: 'threads',
          setupFiles: 'test/harness/seed.ts',
          isolate: false,
          include: [
            'packages/*/src/**/*.test.ts',
            'examples/*/src/**/*.test.ts',
            'test/guards/**/*.test.ts',
            'test/alerts/**/*.test.ts',
          ],
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          // They wait for servers and processes more than they compute.
          maxWorkers: 4,
          setupFiles: 'test/harness/seed.ts',
          include: ['test/integration/**/*.test.ts', 'test/conformance/**/*.test.ts', 'test/faults/**/*.test.ts'],
          globalSetup: 'test/harness/global-setup.ts',
          // Processes are killed and servers cut here, on machines that others use too. Which test needed another try is told at the end.
          retry: 2,
          // One second, the default, is short for a poll while other tests work the processors.
          expect: { poll: { timeout: 60_000 } },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          // Two stacks beside the integration tests on two cores at their worst. A whole story again: a third try would cost too much.
          retry: 1,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          // Each starts a whole stack of a dozen processes, beside the integration tests.
          maxWorkers: 1,
        },
      },
    ],
  },
});
