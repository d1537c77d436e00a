/** All of SSE and MMX: tables, operations and helpers, for the instruction set. */
import { SSE_FLOAT_TABLE } from '../decode/sse-float-table.ts'
import { SSE_TABLE } from '../decode/sse-table.ts'
import type { Helper } from '../helpers/helper.ts'
import { SSE_CONVERT_HELPERS } from '../helpers/sse-convert.ts'
import { SSE_FLOAT_HELPERS } from '../helpers/sse-float.ts'
import type { Operation } from './context.ts'
import { SSE_CONVERT } from './sse-convert.ts'
import { SSE_CRYPTO } from './sse-crypto.ts'
import { SSE_FLOAT } from './sse-float.ts'
import { SSE_INT } from './sse-int.ts'
import { SSE_MOVE } from './sse-move.ts'
import { SSE_STRINGS } from './sse-strings.ts'

export const SSE_TABLES: readonly string[] = [SSE_TABLE, SSE_FLOAT_TABLE]
export const SSE_OPERATIONS: Readonly<Record<string, Operation>> = {
  ...SSE_MOVE,
  ...SSE_INT,
  ...SSE_FLOAT,
  ...SSE_CONVERT,
  ...SSE_CRYPTO,
  ...SSE_STRINGS,
}
export const SSE_HELPERS: Readonly<Record<string, Helper>> = {
  ...SSE_FLOAT_HELPERS,
  ...SSE_CONVERT_HELPERS,
}
