/**
 * How the window looks: pictures of its panels in both themes and languages, compared with those that were looked at and kept in pictures/. LONGMODE_PICTURES=write
 * makes them anew after a change that was wanted.
 */
import { describe, expect, it } from 'vitest'
import type { Settings } from '../../src-main/contract/services/application.ts'
import { tab, windows } from './open.ts'
import { difference, looksAs } from './pictures.ts'

/** What the fakes' console says too. */
const AT = Date.UTC(2026, 10, 28, 13, 0, 0)
const context = {
  viewport: { width: 1180, height: 760 },
  timezoneId: 'UTC',
  locale: 'en-US',
  reducedMotion: 'reduce',
} as const
const open = windows()

const looks: readonly Pick<Settings, 'theme' | 'language'>[] = [
  { theme: 'light', language: 'en' },
  { theme: 'dark', language: 'pt-BR' },
]
const words = {
  en: {
    tabs: {
      console: 'Console',
      memory: 'Memory',
      kernel: 'Kernel',
      share: 'Share',
      disks: 'Disks',
      settings: 'Settings',
    },
    parts: { config: 'Configuration', calls: 'System calls', tools: 'Tools' },
    views: { code: 'Code', map: 'Map', registers: 'Registers' },
  },
  'pt-BR': {
    tabs: {
      console: 'Console',
      memory: 'Memória',
      kernel: 'Kernel',
      share: 'Compartilhar',
      disks: 'Discos',
      settings: 'Ajustes',
    },
    parts: { config: 'Configuração', calls: 'Chamadas de sistema', tools: 'Ferramentas' },
    views: { code: 'Código', map: 'Mapa', registers: 'Registradores' },
  },
}
const overlays = { palette: 'KeyP', import: 'KeyI', preferences: 'Comma', 'new-machine': 'KeyM', files: 'KeyO' }

describe.each(looks)('in $theme and $language', ({ theme, language }) => {
  it('every panel and dialog looks as it did', { timeout: 300_000 }, async () => {
    const { page, faults } = await open({
      settings: { theme, language, kernelTree: '/home/ana/linux' },
      at: AT,
      context,
    })
    const { tabs, parts, views } = words[language === 'pt-BR' ? 'pt-BR' : 'en']
    const wrong: string[] = []
    const look = async (name: string) => {
      const sentence = await looksAs(page, `${name}-${theme}-${language}`)
      if (sentence !== undefined) wrong.push(sentence)
    }
    for (const [name, label] of Object.entries(tabs)) {
      await tab(page, label)
      await look(name)
      const inner = name === 'memory' ? views : name === 'kernel' ? parts : {}
      for (const [part, its] of Object.entries<string>(inner)) {
        await tab(page, its)
        await look(`${name}-${part}`)
      }
    }
    for (const [name, code] of Object.entries(overlays)) {
      await page.keyboard.press(`Control+Shift+${code}`)
      await page.getByRole('dialog').waitFor()
      await look(name)
      await page.keyboard.press('Escape')
    }
    expect(wrong).toEqual([])
    expect(faults()).toEqual([])
  })
  it('so does the first page, and what is said in the corner', { timeout: 60_000 }, async () => {
    const first = await open({ settings: { theme, language }, machines: [], at: AT, context })
    first.fake.trouble(
      'the machine could not be saved in /home/ana/.local/share/longmode: the disk is full; make room and try again',
    )
    await first.page.locator('.toasts .trouble').waitFor()
    expect(await looksAs(first.page, `welcome-${theme}-${language}`)).toBeUndefined()
  })
})

it('one other word is seen', async () => {
  const { page } = await open({ settings: { theme: 'light', language: 'en' }, at: AT, context })
  await tab(page, 'Share')
  await page.getByText('test.c').first().waitFor()
  const before = await page.screenshot({ animations: 'disabled' })
  await page.evaluate(`{
    const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) if (walker.currentNode.data.includes('test.c')) walker.currentNode.data = 'other.h'
  }`)
  const after = await page.screenshot({ animations: 'disabled' })
  expect(await difference(page, before, before)).toBe(0)
  expect(await difference(page, before, after)).toBeGreaterThan(0)
})
