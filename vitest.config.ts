import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that start the whole program and meet real time: one file after the other, when all others are done, so that they have the machine. */
const WHOLE = ['tests/demo/demo.test.ts', 'tests/service/**/*.test.ts'];

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
          exclude: [...configDefaults.exclude, ...WHOLE],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'whole', include: WHOLE, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
