import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that start the whole program and meet real time: after the others, which leave no core idle. */
const WHOLE = ['tests/demo/demo.test.ts', 'tests/service/**/*.test.ts'];
/** Tests against a real API server and real controllers, which are built from source first: run by `npm run test:cluster`. */
const CLUSTER = ['tests/cluster/**/*.test.ts'];
/** Tests against a real Kafka broker. */
const KAFKA = ['tests/kafka/**/*.test.ts', 'tests/collector/**/*.test.ts'];
/** Tests of what is installed, with helm, Prometheus and the image's files: their tools are built first. */
const INSTALLED = ['tests/charts/**/*.test.ts', 'tests/image/**/*.test.ts', 'tests/dashboards/**/*.test.ts'];
/** Vitest runs every project unless told which. */
const isClusterRun = process.argv.some(
  (argument, index) => argument === '--project=cluster' || (process.argv[index - 1] === '--project' && argument === 'cluster'),
);

/** Tests that meet brokers, Collectors and real time: no more at once than there are cores, as senders give up what takes too long. */
const WAITING = { maxWorkers: 2, testTimeout: 120_000, hookTimeout: 120_000, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['tests/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...WHOLE, ...CLUSTER, ...KAFKA, ...INSTALLED],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'whole', include: WHOLE, ...WAITING } },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: KAFKA,
          globalSetup: ['tests/kafka/rig/global-setup.ts'],
          // On a busy machine the SDK of a sender may give a batch up, which says nothing of what was acknowledged.
          retry: 2,
          ...WAITING,
        },
      },
      {
        extends: true,
        test: {
          name: 'installed',
          include: INSTALLED,
          ...WAITING,
        },
      },
      ...(isClusterRun
        ? [
            {
              extends: true,
              test: {
                name: 'cluster',
                include: CLUSTER,
                // Each file has a cluster of its own, and mostly waits for its controllers.
                ...WAITING,
                maxWorkers: 3,
              },
            },
          ]
        : []),
    ],
  },
});
