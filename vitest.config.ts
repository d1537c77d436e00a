import { svelte } from '@sveltejs/vite-plugin-svelte'
import { svelteTesting } from '@testing-library/svelte/vite'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Two cores are the machine we promise to be pleasant on.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'machine',
          environment: 'node',
          include: ['src-main/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: ['node_modules/**', 'tests/boot/machines/**', 'tests/long/**'],
          testTimeout: 30_000,
        },
      },
      {
        plugins: [svelte({ configFile: false }), svelteTesting()],
        test: {
          name: 'window',
          // Files that need a document say so in their first line; a jsdom takes longer than most tests.
          environment: 'node',
          include: ['src-renderer/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
    ],
  },
})
