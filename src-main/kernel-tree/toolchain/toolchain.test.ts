import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkToolchain, distributionOf, installCommand } from './toolchain.ts'

const before = process.env.PATH
afterEach(() => {
  process.env.PATH = before
})

describe('the toolchain', () => {
  it('knows distributions and their relatives', () => {
    expect(distributionOf('ID=debian\n')).toBe('debian')
    expect(distributionOf('ID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBe('debian')
    expect(distributionOf('NAME="Rocky"\nID="rocky"\nID_LIKE="rhel centos fedora"\n')).toBe('fedora')
    expect(distributionOf('ID=manjaro\nID_LIKE=arch\n')).toBe('arch')
    expect(distributionOf('ID=nixos\n')).toBe('other')
  })

  it('gives one command for what is missing', () => {
    const missing = ['flex', 'libelf', 'openssl']
    expect(installCommand(missing, 'debian', false)).toBe('sudo apt-get install -y flex libelf-dev libssl-dev openssl')
    expect(installCommand(missing, 'fedora', true)).toBe(
      'dnf install -y flex elfutils-libelf-devel openssl-devel openssl',
    )
    expect(installCommand(missing, 'arch', false)).toBe('sudo pacman -S --needed --noconfirm flex libelf openssl')
    expect(installCommand(missing, 'other', true)).toBeUndefined()
    expect(installCommand([], 'debian', true)).toBeUndefined()
  })

  it.each([
    ['win32', [], 'install WSL ("wsl --install") and build there, or install Docker or Podman'],
    ['win32', ['wsl.exe'], 'build inside WSL (it is installed), or install Docker or Podman'],
    ['darwin', ['podman'], 'needs Linux: build in a Linux container (podman is installed)'],
  ] as const)('says on %s with %j where a kernel can be built', async (platform, programs, advice) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-tools-'))
    const here = process.platform
    try {
      for (const name of programs) writeFileSync(path.join(folder, name), '', { mode: 0o755 })
      process.env.PATH = folder
      Object.defineProperty(process, 'platform', { value: platform })
      const report = await checkToolchain(undefined, {})
      expect(report).toMatchObject({ platform: platform === 'win32' ? 'windows' : 'macos', ready: false })
      expect(report.advice).toContain(advice)
    } finally {
      Object.defineProperty(process, 'platform', { value: here })
      rmSync(folder, { recursive: true })
    }
  })

  it('sees what is on the PATH and what is not', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-tools-'))
    try {
      const flex = path.join(folder, 'flex')
      writeFileSync(flex, '#!/bin/sh\necho flex 2.6.4\n')
      chmodSync(flex, 0o755)
      process.env.PATH = folder
      const report = await checkToolchain(undefined, {})
      expect(report.ready).toBe(false)
      expect(report.missing).toEqual(expect.arrayContaining(['make', 'gcc', 'C library', 'bison']))
      expect(report.missing).not.toContain('flex')
      expect(report.missing).not.toContain('pahole')
      const llvm = await checkToolchain(undefined, { llvm: true, compilerWrapper: 'distcc' })
      expect(llvm.missing).toEqual(expect.arrayContaining(['clang', 'lld', 'distcc']))
      expect(llvm.missing).not.toContain('gcc')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
