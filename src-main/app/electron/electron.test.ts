import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { windowCommands } from '../../contract/services/application.ts'
import { toJavaScript } from '../build/javascript.ts'
import { MESSAGE_CHANNEL, OPEN_CHANNEL, PAGE_URL } from './channel.ts'
import { menuTemplate } from './menu.ts'
import { isOurPage, isTrustedSender } from './security.ts'
import { readWindowState, writeWindowState } from './window-state.ts'

const scratch = scratchFolder('electron')

describe('what is trusted', () => {
  it.each([
    [PAGE_URL, true],
    ['app://longmode/', true],
    ['app://evil/index.html', false],
    ['http://longmode/index.html', false],
    ['file:///index.html', false],
    ['app://longmode@evil/', false],
    ['nonsense', false],
  ])('the page %s: %s', (url, trusted) => {
    expect(isOurPage(url)).toBe(trusted)
  })
  it('a message of the page itself, of no frame in it and of no other page', () => {
    const main = { url: PAGE_URL }
    const inner = { url: PAGE_URL }
    const event = (senderFrame: unknown, mainFrame: unknown) =>
      ({ sender: { mainFrame }, senderFrame }) as unknown as Parameters<typeof isTrustedSender>[0]
    expect(isTrustedSender(event(main, main))).toBe(true)
    expect(isTrustedSender(event(inner, main))).toBe(false)
    expect(isTrustedSender(event(null, null))).toBe(false)
    const foreign = { url: 'https://evil.example/' }
    expect(isTrustedSender(event(foreign, foreign))).toBe(false)
  })
})

describe('the menu', () => {
  it('has every command of the window but those that a menu cannot mean, in both languages', () => {
    const labels = ['en-US', 'pt-BR'].map((language) =>
      menuTemplate(() => undefined, language).flatMap(({ submenu }) =>
        (submenu as Electron.MenuItemConstructorOptions[]).map(({ id, label, type }) => [id, label, type] as const),
      ),
    )
    for (const items of labels) {
      const ids = items.flatMap(([id]) => id ?? [])
      expect(ids.toSorted()).toEqual([...windowCommands].toSorted())
      expect(items.filter(([, label, type]) => label === undefined && type !== 'separator')).toEqual([])
    }
    expect(labels[0].map(([, label]) => label)).not.toEqual(labels[1].map(([, label]) => label))
  })
  it('sends what was chosen, and takes no key from the guest', () => {
    const send = vi.fn()
    const items = menuTemplate(send, 'en').flatMap(({ submenu }) => submenu as Electron.MenuItemConstructorOptions[])
    const pause = items.find(({ id }) => id === 'machine-pause')!
    ;(pause.click as unknown as () => void)()
    expect(send).toHaveBeenCalledWith('machine-pause')
    for (const { accelerator } of items) expect(accelerator ?? '').not.toMatch(/^(Ctrl|CmdOrCtrl)\+[A-Z]$/)
  })
})

describe('the state of the window', () => {
  const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }]
  it('comes back', async () => {
    const file = path.join(scratch, 'a', 'window.json')
    await writeWindowState(file, { x: 10, y: 20, width: 900, height: 700 }, true)
    expect(readWindowState(file, screens)).toEqual({ x: 10, y: 20, width: 900, height: 700, maximized: true })
  })
  it('forgets a place that no screen shows, and what it does not understand', async () => {
    const file = path.join(scratch, 'window.json')
    await writeWindowState(file, { x: 5000, y: 20, width: 900, height: 700 }, false)
    expect(readWindowState(file, screens)).toEqual({ width: 900, height: 700, maximized: false })
    for (const text of ['{', '{"width":-1}', '[]']) {
      writeFileSync(file, text)
      expect(readWindowState(file, screens)).toMatchObject({ width: 1180, maximized: false })
    }
  })
})

describe('the preload script', () => {
  const text = readFileSync(new URL('./preload.cts', import.meta.url), 'utf8')
  it('uses the channels of the main process', () => {
    expect(new Set(text.match(/'longmode-\w+'/g))).toEqual(new Set([`'${MESSAGE_CHANNEL}'`, `'${OPEN_CHANNEL}'`]))
  })
  it('asks a sandbox for electron alone', () => {
    const script = toJavaScript(text)
    expect(script.match(/require\([^)]*\)/g)).toEqual(["require('electron')"])
    expect(script).not.toMatch(/^\s*(import|export) /m)
  })
})

describe('TypeScript as JavaScript', () => {
  it('has the same lines, and names the same files', () => {
    const source = `import type { A } from './a.ts'\nimport { b } from '../b.ts'\nconst worker: URL = new URL('./vcpu.ts', import.meta.url)\n`
    const script = toJavaScript(source)
    expect(script.split('\n')).toHaveLength(4)
    expect(script).toContain("import { b } from '../b.js'")
    expect(script).toContain("new URL('./vcpu.js', import.meta.url)")
    expect(script).not.toContain('./a')
  })
})
