/**
 * The lint rule behind ARCHITECTURE.md's "Allowed imports". A room is a folder of src-main; the longest name in the table that
 * contains a file is its room. What is not in the table may not be imported, so a new need is a visible change of one line.
 */
import path from 'node:path'
import type { Rule } from 'eslint'

export interface Room {
  /** Rooms it may import (a parent's name allows its children). */
  readonly rooms: readonly string[]
  /** npm packages it may import. */
  readonly packages?: readonly string[]
  /** Rooms that a wider permission would allow and that are refused all the same. */
  readonly except?: readonly string[]
  /** May it import `node:` modules? */
  readonly node?: boolean
}

export type RoomTable = Readonly<Record<string, Room>>

const within = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`)

/** The room of a path relative to src-main, or undefined when the table does not know it. */
function roomOf(table: RoomTable, relative: string): string | undefined {
  return Object.keys(table)
    .filter((room) => within(relative, room))
    .sort((a, b) => b.length - a.length)[0]
}

/** Why `source`, imported by `file` (both absolute but for `source`), is not allowed; undefined when it is. */
export function refusal(table: RoomTable, sourceRoot: string, file: string, source: string): string | undefined {
  const from = path.relative(sourceRoot, file).replaceAll('\\', '/')
  const room = roomOf(table, from)
  if (room === undefined) return `the folder of ${from} is not a room of tests/tidy/rooms.ts`
  const { rooms, packages = [], except = [], node = false } = table[room]
  const isTest = from.endsWith('.test.ts')
  if (!source.startsWith('.')) {
    if (source.startsWith('node:')) return node || isTest ? undefined : `${room} may not import node: modules`
    const name = source
      .split('/')
      .slice(0, source.startsWith('@') ? 2 : 1)
      .join('/')
    if (packages.includes(name) || (isTest && name === 'vitest')) return undefined
    return `${room} may not import the package ${name}`
  }
  const target = path.relative(sourceRoot, path.resolve(path.dirname(file), source)).replaceAll('\\', '/')
  // Tests may use the shared fixtures and helpers under tests/.
  if (target.startsWith('../')) {
    return isTest && target.startsWith('../tests/') ? undefined : `${room} may not leave src-main`
  }
  const allowed = [room, 'base', ...rooms].some((name) => within(target, name))
  const refused = except.some((name) => within(target, name))
  return allowed && !refused ? undefined : `${room} may not import ${target}`
}

export const allowedImports: Rule.RuleModule = {
  meta: { type: 'problem', schema: [{ type: 'object' }, { type: 'string' }], messages: { refused: '{{why}}' } },
  create(context) {
    const [table, sourceRoot] = context.options as [RoomTable, string]
    const check = (node: { source?: unknown } & Rule.Node) => {
      const source = node.source as ({ value?: unknown } & Rule.Node) | null | undefined
      if (typeof source?.value !== 'string') return
      const why = refusal(table, sourceRoot, context.filename, source.value)
      if (why !== undefined) context.report({ node: source, messageId: 'refused', data: { why } })
    }
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    }
  },
}
