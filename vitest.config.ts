import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that start the whole program and meet real time: one file after the other, when all others are done, so that they have the machine. */
const WHOLE = ['tests/demo/demo.test.ts', 'tests/service/**/*.test.ts'];
/** Tests against a real API server and real controllers, which are built from source first: run by `npm run test:cluster`. */
const CLUSTER = ['tests/cluster/**/*.test.ts'];
/** Tests against a real Kafka broker: in a group of their own, as brokers and members need the machine. */
const KAFKA = ['tests/kafka/**/*.test.ts', 'tests/collector/**/*.test.ts'];
/** Tests of what is installed, with helm, Prometheus and the image's files: their tools are built first. */
const INSTALLED = ['tests/charts/**/*.test.ts', 'tests/image/**/*.test.ts', 'tests/dashboards/**/*.test.ts'];
/** Vitest runs every project unless told which. */
const isClusterRun = process.argv.some(
  (argument, index) => argument === '--project=cluster' || (process.argv[index - 1] === '--project' && argument === 'cluster'),
);

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
      { extends: true, test: { name: 'whole', include: WHOLE, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: KAFKA,
          globalSetup: ['tests/kafka/rig/global-setup.ts'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'installed',
          include: INSTALLED,
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
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
                maxWorkers: 2,
                testTimeout: 120_000,
                hookTimeout: 120_000,
              },
            },
          ]
        : []),
    ],
  },
});
