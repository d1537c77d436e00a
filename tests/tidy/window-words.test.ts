/** Both languages are complete, and every text is used. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { en } from '../../src-renderer/i18n/en-table.ts'
import { ptBR } from '../../src-renderer/i18n/pt-br-table.ts'

const root = path.resolve(import.meta.dirname, '../../src-renderer')
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(svelte|ts)$/.test(file) && !file.startsWith('i18n') && !file.endsWith('.test.ts'))
  .concat('i18n/i18n.svelte.ts')
  .map((file) => readFileSync(path.join(root, file), 'utf8'))
  .join('\n')

/** A key is used by name, by a template (`state.${…}`), or as a plural. */
function isUsed(key: string): boolean {
  if (sources.includes(`'${key}'`)) return true
  const stem = key.replace(/\.(one|other)$/, '')
  if (stem !== key && sources.includes(`'${stem}'`)) return true
  const dots = [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index + 1))
  return dots.some((stem) => sources.includes(`\`${stem}\${`))
}
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

describe('the languages of the window', () => {
  it('have the same keys', () => {
    expect(Object.keys(ptBR)).toEqual(Object.keys(en))
  })
  it('fill the same holes', () => {
    const different = Object.entries(en).filter(
      ([key, text]) => holes(text).join() !== holes(ptBR[key as keyof typeof en]).join(),
    )
    expect(different).toEqual([])
  })
  it('say nothing that is never shown', () => {
    expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([])
  })
})
