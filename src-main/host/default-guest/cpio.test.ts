import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeCpio } from './cpio.ts'

const data = new TextEncoder().encode('hello\n')
const archive = writeCpio([
  { kind: 'folder', name: 'etc' },
  { kind: 'file', name: 'etc/hello', mode: 0o640, data },
  { kind: 'link', name: 'etc/link', target: 'hello' },
  { kind: 'device', name: 'console', mode: 0o600, major: 5, minor: 1 },
])
const text = new TextDecoder('latin1').decode(archive)

describe('a newc archive', () => {
  it('has headers and padding as the kernel expects them', () => {
    expect(archive.length % 4).toBe(0)
    expect(text.startsWith('070701')).toBe(true)
    const at = text.indexOf('etc/hello\0')
    // Name size, then mode and file size, at their places in the header before the name.
    expect(text.slice(at - 16, at - 8)).toBe('0000000a')
    expect(text.slice(at - 110 + 14, at - 110 + 22)).toBe((0o100640).toString(16).padStart(8, '0'))
    expect(text.slice(at - 110 + 54, at - 110 + 62)).toBe('00000006')
    expect(text.slice(Math.ceil((at + 10) / 4) * 4).startsWith('hello\n')).toBe(true)
    expect(text).toContain('TRAILER!!!\0')
  })
  it('is the same bytes for the same entries', () => {
    expect(writeCpio([{ kind: 'folder', name: 'a' }])).toEqual(writeCpio([{ kind: 'folder', name: 'a' }]))
  })
  it('is read back by another reader: busybox', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-cpio-'))
    const list = execFileSync('busybox', ['cpio', '-tv'], { input: archive, cwd: folder }).toString()
    rmSync(folder, { recursive: true })
    expect(list).toMatch(/drwxr-xr-x.*etc\n/)
    expect(list).toMatch(/-rw-r-----.* 6 .*etc\/hello\n/)
    expect(list).toMatch(/lrwxrwxrwx.*etc\/link -> hello\n/)
    expect(list).toMatch(/crw-------.*console/)
  })
})
