import path from 'node:path'
import { defineConfig } from 'vitest/config'

/** Proofs that take minutes to hours: `npm run test:long`. One at a time. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, '../..'),
  test: {
    name: 'long',
    environment: 'node',
    include: ['tests/long/**/*.test.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    fileParallelism: false,
  },
})
