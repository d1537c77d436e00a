import type { Build } from '../../src-main/contract/services/kernel.ts'

export const isRunning = (build: Build): boolean => build.result === undefined && build.sentence === undefined
