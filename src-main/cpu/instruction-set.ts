/** The whole instruction set: opcode tables, operations and helpers of all families, less what CPUID does not offer. */
import { FPU_STATE_TABLE } from './decode/fpu-state-table.ts'
import { INTEGER_TABLE } from './decode/integer-table.ts'
import { X87_TABLE } from './decode/x87-table.ts'
import { parseRows, type Row } from './decode/rows.ts'
import { CONTROL_REGISTERS } from './helpers/control-registers.ts'
import { CPUID } from './helpers/cpuid.ts'
import { DEBUG_REGISTERS } from './helpers/debug-registers.ts'
import { DESCRIPTOR_TABLES } from './helpers/descriptor-tables.ts'
import { FAR } from './helpers/far.ts'
import { FPU_STATE_HELPERS } from './helpers/fpu-state.ts'
import type { Helper } from './helpers/helper.ts'
import { IRET } from './helpers/iret.ts'
import { MISC } from './helpers/misc.ts'
import { MSR } from './helpers/msr.ts'
import { PORTS } from './helpers/ports.ts'
import { SEGMENT_LOADS } from './helpers/segment-loads.ts'
import { SYSTEM_CALLS } from './helpers/system-calls.ts'
import { X87_ARITHMETIC_HELPERS } from './helpers/x87-arithmetic.ts'
import { X87_ENVIRONMENT_HELPERS } from './helpers/x87-environment.ts'
import { X87_TRANSCENDENTAL_HELPERS } from './helpers/x87-transcendental.ts'
import { X87_TRANSFER_HELPERS } from './helpers/x87-transfer.ts'
import type { Operation } from './semantics/context.ts'
import { CONTROL } from './semantics/control.ts'
import { BITS } from './semantics/bits.ts'
import { DECIMAL } from './semantics/decimal.ts'
import { INTEGER } from './semantics/integer.ts'
import { MULTIPLICATION } from './semantics/multiply.ts'
import { SHIFTS } from './semantics/shift.ts'
import { SSE_HELPERS, SSE_OPERATIONS, SSE_TABLES } from './semantics/sse.ts'
import { STRING } from './semantics/string.ts'
import { SYSTEM } from './semantics/system.ts'

/** An instruction set: opcode rows with the operations and helpers behind them. */
export interface InstructionSet {
  readonly rows: readonly Row[]
  readonly operations: Readonly<Record<string, Operation>>
  readonly helpers: Readonly<Record<string, Helper>>
}

/** Opcode tables of the families. */
const TABLES: readonly string[] = [INTEGER_TABLE, FPU_STATE_TABLE, X87_TABLE, ...SSE_TABLES]
const OPERATIONS: readonly Readonly<Record<string, Operation>>[] = [
  INTEGER,
  SHIFTS,
  MULTIPLICATION,
  BITS,
  DECIMAL,
  CONTROL,
  STRING,
  SYSTEM,
  SSE_OPERATIONS,
]
const HELPERS: readonly Readonly<Record<string, Helper>>[] = [
  SEGMENT_LOADS,
  DESCRIPTOR_TABLES,
  FAR,
  IRET,
  SYSTEM_CALLS,
  CONTROL_REGISTERS,
  DEBUG_REGISTERS,
  MSR,
  CPUID,
  PORTS,
  MISC,
  FPU_STATE_HELPERS,
  X87_ARITHMETIC_HELPERS,
  X87_ENVIRONMENT_HELPERS,
  X87_TRANSCENDENTAL_HELPERS,
  X87_TRANSFER_HELPERS,
  SSE_HELPERS,
]

function merge<T>(parts: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  const all: Record<string, T> = {}
  for (const part of parts)
    for (const [name, value] of Object.entries(part)) {
      if (name in all) throw new Error(`instruction ${name} is defined twice`)
      all[name] = value
    }
  return all
}

/** `has(feature)` tells which CPUID features (names of the tables' cpuid: attributes) are on. */
export function instructionSet(has: (feature: string) => boolean): InstructionSet {
  const offered = (row: Row): boolean => {
    for (const attribute of row.attributes) if (attribute.startsWith('cpuid:') && !has(attribute.slice(6))) return false
    return true
  }
  return { rows: TABLES.flatMap(parseRows).filter(offered), operations: merge(OPERATIONS), helpers: merge(HELPERS) }
}
