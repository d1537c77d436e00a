import { execFileSync } from 'node:child_process'

/** Addresses of an ELF file's symbols, as binutils sees them. */
export function symbolTable(file: string): (name: string) => bigint {
  const lines = execFileSync('nm', [file], { encoding: 'utf8' }).trim().split('\n')
  const table = new Map(
    lines.map((line) => line.split(' ')).map(([address, , name]) => [name!, BigInt(`0x${address}`)]),
  )
  return (name) => table.get(name)!
}
