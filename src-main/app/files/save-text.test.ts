import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { saveText } from './save-text.ts'

const scratch = scratchFolder('save-text')
const place = (...names: string[]) => path.join(scratch, ...names)
const sentence = async (file: string) => {
  const error: unknown = await saveText(file, 'x'.repeat(100_000)).catch((caught: unknown) => caught)
  return (error as { trouble: { sentence: string } }).trouble.sentence
}

describe('a console log', () => {
  it('takes the place of the one before, as any other file of the user', async () => {
    writeFileSync(place('umask'), '')
    writeFileSync(place('old.log'), 'a longer text than the new one')
    symlinkSync(place('old.log'), place('link.log'))
    await saveText(place('link.log'), 'new\n')
    expect(readFileSync(place('old.log'), 'utf8')).toBe('new\n')
    expect(readlinkSync(place('link.log'))).toBe(place('old.log'))
    expect(statSync(place('old.log')).mode).toBe(statSync(place('umask')).mode)
  })
  it('without a folder is a sentence with the next step', async () => {
    expect(await sentence(place('gone', 'a.log'))).toBe(
      `${place('gone', 'a.log')} could not be written: the folder does not exist; choose another one`,
    )
    mkdirSync(place('folder.log'))
    expect(await sentence(place('folder.log'))).toContain('that is a folder; choose another name')
    expect(await sentence(place('x'.repeat(300)))).toContain('the name is too long')
  })
  it.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
    'on a full disk leaves what was there, and no part of the new one',
    async () => {
      mkdirSync(place('small'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place('small')])
      onTestFinished(() => void execFileSync('umount', [place('small')]))
      writeFileSync(place('small', 'a.log'), 'the old log\n')
      expect(await sentence(place('small', 'a.log'))).toContain('the disk is full; make room and try again')
      expect(readFileSync(place('small', 'a.log'), 'utf8')).toBe('the old log\n')
      expect(await sentence(place('small', 'b.log'))).toContain('the disk is full')
      expect(existsSync(place('small', 'b.log'))).toBe(false)
      expect(readdirSync(place('small'))).toEqual(['a.log'])
    },
  )
})
