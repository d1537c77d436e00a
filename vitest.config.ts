import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['src-main/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['node_modules/**', 'tests/boot/machines/**', 'tests/long/**'],
    testTimeout: 30_000,
    // Two cores are the machine we promise to be pleasant on.
    maxWorkers: 2,
  },
})
