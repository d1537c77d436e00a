/** What nearly every family of operations imports. */
export { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../state/layout.ts'
export type { OpContext, Operation, Size } from './context.ts'
