/** No panel, dialog or message has what axe calls serious, in both themes and languages. */
import { describe, expect, it } from 'vitest'
import type { WindowCommand } from '../../src-main/contract/services/application.ts'
import { serious } from './axe.ts'
import { tab, windows } from './open.ts'

const open = windows()

const looks = [
  {
    theme: 'light',
    language: 'en',
    tabs: ['Console', 'Memory', 'Kernel', 'Share', 'Disks', 'Settings'],
    parts: ['Configuration', 'System calls', 'Tools'],
    views: ['Code', 'Map', 'Registers', 'Breakpoints'],
  },
  {
    theme: 'dark',
    language: 'pt-BR',
    tabs: ['Console', 'Memória', 'Kernel', 'Compartilhar', 'Discos', 'Ajustes'],
    parts: ['Configuração', 'Chamadas de sistema', 'Ferramentas'],
    views: ['Código', 'Mapa', 'Registradores', 'Paradas'],
  },
] as const

describe.each(looks)('in $theme and $language', ({ theme, language, tabs, parts, views }) => {
  it('no panel has a serious accessibility fault', async () => {
    const { page, faults } = await open({ settings: { theme, language, kernelTree: '/home/ana/linux' } })
    const found: string[] = []
    const look = async () => {
      await page.waitForTimeout(250)
      found.push(...(await serious(page)))
    }
    for (const name of tabs) {
      await tab(page, name)
      await look()
      for (const inner of name === tabs[1] ? views : name === 'Kernel' ? parts : []) {
        await tab(page, inner)
        await look()
      }
    }
    for (const keys of [
      'Control+Shift+P',
      'Control+Shift+I',
      'Control+Shift+Comma',
      'Control+Shift+M',
      'Control+Shift+O',
    ]) {
      await page.keyboard.press(keys)
      await look()
      await page.keyboard.press('Escape')
    }
    expect(found).toEqual([])
    expect(faults()).toEqual([])
  }, 300_000)
})

describe.each(looks)('in $theme and $language too', ({ theme, language, tabs }) => {
  it('no dialog, message or state of a machine has one', async () => {
    const { fake, page, faults } = await open({ settings: { theme, language, kernelTree: '/home/ana/linux' } })
    const found: string[] = []
    const look = async (what: string) => {
      await page.waitForTimeout(250)
      found.push(...(await serious(page)).map((fault) => `${what}: ${fault}`))
    }
    const dialog = async (what: string) => {
      await page.getByRole('dialog').waitFor()
      await look(what)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    const command = (id: WindowCommand) => fake.host.emit('application', 'command', id)
    await page.getByRole('heading', { name: 'Tutorial 6.1' }).waitFor()
    command('about')
    await dialog('about')
    command('machine-kill')
    await dialog('question')
    command('find')
    await page.getByRole('search').waitFor()
    await look('find')
    fake.host.emit('application', 'open', { paths: ['/home/ana/my_disk.raw', '/home/ana/picture.png'] })
    await dialog('drop')
    await tab(page, tabs[4])
    await page.locator('.more').getByRole('button').last().click()
    await dialog('new image')
    fake.trouble('the machine could not be saved')
    fake.host.emit('machines', 'note', { id: 'tutorial', note: { at: 0, text: 'the shared folder is gone' } })
    await page.locator('.toasts .trouble').waitFor()
    await look('messages')
    const status = { since: 0, progress: { text: 'making the default guest: unpacking', part: 0.7 } }
    fake.change('tutorial', { status: { state: 'preparing', ...status } })
    await page.locator('progress').waitFor()
    await look('preparing')
    fake.change('tutorial', { status: { state: 'running', since: 0, asked: 'restart' } })
    await look('asked')
    const end = { kind: 'failed', sentence: 'the disk is full', details: 'at x' } as const
    fake.change('tutorial', { status: { state: 'failed', since: 0, end } })
    await page.locator('.strip .trouble').waitFor()
    for (const name of tabs.slice(0, 3)) {
      await tab(page, name)
      await look(`failed, ${name}`)
    }
    expect(found).toEqual([])
    expect(faults()).toEqual([])
    // The first page.
    const first = await open({ settings: { theme, language }, machines: [] })
    await first.page.locator('.welcome').waitFor()
    expect(await serious(first.page)).toEqual([])
  }, 300_000)
})
