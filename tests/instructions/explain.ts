// npm run vectors:explain -- <form> [case]: runs a form's cases on this CPU and on the engine and prints the first one that
// differs (or the given one) in full. A name that is the beginning of several forms' names goes through all of them.
import iced from 'iced-x86'
import { engineMachine } from './engine.ts'
import { CASES_PER_FORM, findForms } from './families.ts'
import type { Form } from './form.ts'
import { generateCase, type GeneratedCase } from './generate.ts'
import { BATCH, ENTRY, FX, type SnippetMachine, STATE, STATE_BYTES, WINDOW_BASE, WINDOW_BYTES } from './layout.ts'
import { NativeMachine } from './native.ts'
import { normalize } from './normalize.ts'
import { batchOf } from './vectors.ts'

const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = iced
const GPR = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
]

interface Field {
  readonly name: string
  readonly at: number
  readonly bytes: number
}

function fields(): Field[] {
  const x87 = (name: string, at: number, bytes: number): Field => ({ name, at: STATE.fx + at, bytes })
  return [
    ...GPR.map((name, i) => ({ name, at: STATE.gpr + 8 * i, bytes: 8 })),
    { name: 'rip', at: STATE.rip, bytes: 8 },
    { name: 'rflags', at: STATE.rflags, bytes: 8 },
    { name: 'vector', at: STATE.vector, bytes: 2 },
    { name: 'cs', at: STATE.cs, bytes: 2 },
    { name: 'error', at: STATE.error, bytes: 4 },
    { name: 'cr2', at: STATE.cr2, bytes: 8 },
    x87('fcw', FX.fcw, 2),
    x87('fsw', FX.fsw, 2),
    x87('ftw', FX.ftw, 1),
    x87('mxcsr', FX.mxcsr, 4),
    ...Array.from({ length: 8 }, (_, i) => x87(`st${i}`, FX.st + 16 * i, 10)),
    ...Array.from({ length: 16 }, (_, i) => x87(`xmm${i}`, FX.xmm + 16 * i, 16)),
    ...Array.from({ length: WINDOW_BYTES / 8 }, (_, i) => ({
      name: `[${(WINDOW_BASE + 8 * i).toString(16)}]`,
      at: STATE.window + 8 * i,
      bytes: 8,
    })),
  ]
}

const FIELDS = fields()

/** Most significant byte first. */
function show(state: Uint8Array, { at, bytes }: Field): string {
  return Buffer.from(state.subarray(at, at + bytes))
    .reverse()
    .toString('hex')
}

function disassemble(c: GeneratedCase): string {
  const decoder = new Decoder(c.mode === 'long64' ? 64 : 32, c.code.subarray(ENTRY), DecoderOptions.None)
  decoder.ip = BigInt(c.slot + ENTRY)
  const instruction = decoder.decode()
  const text = new Formatter(FormatterSyntax.Intel).format(instruction)
  const note = instruction.length === c.length ? '' : `  (${instruction.length} bytes decoded, ${c.length} generated)`
  return text + note
}

function print(c: GeneratedCase, native: Uint8Array, engine: Uint8Array | undefined): void {
  console.log(`form "${c.form.id}" of ${c.form.family.name}, case ${c.index}, ${c.mode}`)
  console.log(`  ${Buffer.from(c.code.subarray(ENTRY, ENTRY + c.length)).toString('hex')}  ${disassemble(c)}`)
  if (c.address !== 0n) console.log(`  memory operand at ${c.address.toString(16)}, ${c.form.memBytes} bytes`)
  console.log(`  ${'field'.padEnd(11)} ${'before'.padEnd(33)}${'native'.padEnd(33)}${engine ? 'engine' : ''}`)
  for (const field of FIELDS) {
    const values = [c.before, native, ...(engine ? [engine] : [])].map((state) => show(state, field))
    const differs = engine !== undefined && values[1] !== values[2]
    const changed = values[0] !== values[1]
    const isMemory = field.at >= STATE.window || field.at >= STATE.fx
    if (isMemory && !changed && !differs) continue
    const mark = differs ? '*' : ' '
    console.log(`${mark} ${field.name.padEnd(11)} ${values.map((value) => value.padEnd(33)).join('')}`)
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a.subarray(0, STATE_BYTES), b.subarray(0, STATE_BYTES)) === 0
}

/** Number of differing cases; prints the first. */
function explainForm(form: Form, native: NativeMachine, engine: SnippetMachine): number {
  const differing: number[] = []
  for (let batch = 0; batch < CASES_PER_FORM / BATCH; batch++) {
    const cases = batchOf(form, batch)
    const expected = native.run(cases)
    const actual = engine.run(cases)
    cases.forEach((c, slot) => {
      const [a, b] = [expected[slot], actual[slot]]
      normalize(a, c)
      normalize(b, c)
      if (equal(a, b)) return
      differing.push(c.index)
      if (differing.length === 1) print(c, a, b)
    })
  }
  const all =
    differing.length > 0 ? ` (cases ${differing.slice(0, 12).join(' ')}${differing.length > 12 ? ' ...' : ''})` : ''
  console.log(`"${form.id}": ${differing.length} of ${CASES_PER_FORM} cases differ${all}`)
  return differing.length
}

/** One case, in the slot it belongs to. */
function explainCase(form: Form, index: number, native: NativeMachine, engine: SnippetMachine | undefined): void {
  const cases = batchOf(form, Math.floor(index / BATCH))
  const c = generateCase(form, index)
  const expected = native.run(cases)[index % BATCH]
  const actual = engine?.run(cases)[index % BATCH]
  normalize(expected, c)
  if (actual) normalize(actual, c)
  print(c, expected, actual)
}

function main(): void {
  const words = process.argv.slice(2)
  const index =
    /^\d+$/.test(words.at(-1) ?? '') && words.length > 1 && findForms(words.join(' ')).length === 0
      ? Number(words.pop())
      : undefined
  const forms = findForms(words.join(' '))
  if (words.length === 0 || forms.length === 0) {
    console.error('usage: vectors:explain -- <form or the beginning of its name> [case]')
    process.exitCode = 2
    return
  }
  const native = new NativeMachine()
  const engine = engineMachine()
  try {
    for (const form of forms) {
      if (index !== undefined || !engine) explainCase(form, index ?? 0, native, engine)
      else if (explainForm(form, native, engine) > 0) process.exitCode = 1
    }
  } finally {
    native.close()
  }
}

main()
