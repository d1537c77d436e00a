/** The house rules that a machine can check: size, open ends, and that ARCHITECTURE.md tells the truth about the rooms. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { rooms } from './rooms.ts'

const root = path.resolve(import.meta.dirname, '../..')
const longest = 450

/** Files of the project: in the index or new and not ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)))

const isCode = (file: string) => /\.(ts|js|mjs|svelte|c|S|sh)$/.test(file)
/** Tables are read by looking one row up, not from top to bottom. */
const isTable = (file: string) => /(generated|table|tables|fixtures?)\b/.test(file)
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

describe('every file', () => {
  it(`has at most ${String(longest)} lines, tables apart`, () => {
    const long = files
      .filter((file) => isCode(file) && !isTable(file))
      .map((file) => [file, read(file).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > longest)
    expect(long).toEqual([])
  })

  it('leaves nothing open and skips no test', () => {
    // Spelled in pieces, so that this file does not find itself.
    const words = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK']
    const open = new RegExp(`\\b(${words.join('|')})\\b|\\b(test|it|describe)\\.(skip|only|todo)\\b`)
    const found = files
      .filter((file) => isCode(file) || file.endsWith('.md'))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .flatMap((line, index) => (open.test(line) ? [`${file}:${String(index + 1)}`] : [])),
      )
    expect(found).toEqual([])
  })
})

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md')
  /** Headings of the form "### src-main/cpu". */
  const headed = [...text.matchAll(/^### src-main\/(\S+)/gm)].map((match) => match[1])
  const folders = new Set(
    files
      .filter((file) => file.startsWith('src-main/') && file.split('/').length > 2)
      .map((file) => file.split('/')[1]),
  )

  it('has a section for every room that exists', () => {
    expect([...folders].filter((room) => !headed.includes(room))).toEqual([])
  })
  it('has no section for a room that does not exist', () => {
    expect(headed.filter((room) => !folders.has(room))).toEqual([])
  })
  it('has a row of allowed imports for every room, the same as the lint table', () => {
    const rows = [...text.matchAll(/^\| `([\w/-]+)` *\| (.*?) *\| (.*?) *\|$/gm)].map(([, room, allowed, packages]) => {
      const list = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])
      return [room, list(allowed), list(packages)] as const
    })
    const table = Object.entries(rooms).map(([room, { rooms: allowed, packages = [], node = false }]) => [
      room,
      [...allowed],
      [...packages, ...(node ? ['node:'] : [])],
    ])
    expect(rows).toEqual(table)
  })
  it('every room that exists is in the lint table', () => {
    expect([...folders].filter((room) => !(room in rooms))).toEqual([])
  })
})
