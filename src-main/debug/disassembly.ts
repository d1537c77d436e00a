/** Machine code in words (iced-x86), with the names of what it leads to. For the host process. */
import iced from 'iced-x86'
import type { SymbolTable } from './symbols/symbol-table.ts'

export type Syntax = 'intel' | 'att'

export interface DisassembledLine {
  readonly address: bigint
  readonly bytes: Uint8Array
  /** `mov rax, [0xffff800000102000]`; RIP-relative operands as addresses; `(bad)` for bytes that are no instruction. */
  readonly text: string
  /** Where a near branch or call goes, or what a RIP-relative operand names. */
  readonly target?: bigint
  /** `name` or `name+0x1c` of the target. */
  readonly targetName?: string
  /** The instruction begins a symbol. */
  readonly label?: string
}

export interface DisassemblyRequest {
  readonly bytes: Uint8Array
  /** Linear address of the first byte. */
  readonly address: bigint
  readonly bits: 16 | 32 | 64
  readonly syntax?: Syntax
  readonly symbols?: SymbolTable
  /** Instructions at most. */
  readonly most?: number
}

export function placeName(symbols: SymbolTable | undefined, address: bigint): string | undefined {
  const place = symbols?.at(address)
  if (!place) return undefined
  return place.offset === 0 ? place.symbol : `${place.symbol}+0x${place.offset.toString(16)}`
}

/** Instructions from the first byte on; one that the bytes cut off at their end is left out. */
export function disassemble(request: DisassemblyRequest): DisassembledLine[] {
  const { bytes, address, bits, symbols, most = Infinity } = request
  const decoder = new iced.Decoder(bits, bytes, iced.DecoderOptions.None)
  const formatter = new iced.Formatter(request.syntax === 'att' ? iced.FormatterSyntax.Gas : iced.FormatterSyntax.Intel)
  formatter.spaceAfterOperandSeparator = true
  formatter.hexPrefix = '0x'
  formatter.hexSuffix = ''
  formatter.uppercaseHex = false
  const instruction = new iced.Instruction()
  decoder.ip = address
  const lines: DisassembledLine[] = []
  try {
    while (decoder.canDecode && lines.length < most) {
      const at = decoder.position
      decoder.decodeOut(instruction)
      if (decoder.lastError === iced.DecoderError.NoMoreBytes) break
      const bad = decoder.lastError !== iced.DecoderError.None
      // what is no instruction is one byte: the next one may be
      if (bad) decoder.position = at + 1
      const here = BigInt.asUintN(64, address + BigInt(at))
      if (bad) decoder.ip = here + 1n
      const target = bad ? undefined : targetOf(instruction)
      const targetName = target === undefined ? undefined : placeName(symbols, target)
      const label = symbols?.at(here)
      lines.push({
        address: here,
        bytes: bytes.slice(at, decoder.position),
        text: bad ? '(bad)' : formatter.format(instruction),
        ...(target !== undefined && { target }),
        ...(targetName !== undefined && { targetName }),
        ...(label?.offset === 0 && { label: label.symbol }),
      })
    }
  } finally {
    // these live in WebAssembly
    instruction.free()
    formatter.free()
    decoder.free()
  }
  return lines
}

function targetOf(instruction: iced.Instruction): bigint | undefined {
  const kind = instruction.op0Kind
  const near = [iced.OpKind.NearBranch16, iced.OpKind.NearBranch32, iced.OpKind.NearBranch64]
  if (instruction.opCount > 0 && near.includes(kind)) return instruction.nearBranchTarget
  return instruction.isIpRelMemoryOperand ? instruction.ipRelMemoryAddress : undefined
}
