import path from 'node:path'
import { defineConfig } from 'vitest/config'

/** Tests that boot whole machines: `npm run test:boot`. One at a time, for they take a core each and a while. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, '../..'),
  test: {
    name: 'boot',
    environment: 'node',
    include: ['tests/boot/stock-kernel.test.ts', 'tests/boot/machines/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    fileParallelism: false,
  },
})
