// @vitest-environment jsdom
import { describe, expect, it } from 'vitest'
import { ago, duration, plural, setLanguage, size, t } from './i18n.svelte.ts'

describe('the languages', () => {
  it('are told apart', () => {
    setLanguage('pt-BR')
    expect(t('machine.start')).toBe('Iniciar')
    expect(document.documentElement.lang).toBe('pt-BR')
    expect(plural('browse.more', 1)).toBe('Mais 1 item não é mostrado.')
    expect(size(1.5 * 2 ** 30)).toBe('1,5 GiB')
    setLanguage('en')
    expect(t('palette.goTo', { name: 'a' })).toBe('Go to a')
    expect(plural('browse.more', 1200)).toBe('1,200 more entries are not shown.')
    expect(size(0)).toBe('0 B')
    expect(size(2 ** 30)).toBe('1 GiB')
  })
})

describe('times', () => {
  it('are told in the largest unit that fits', () => {
    setLanguage('en')
    expect(ago(0, 5_000)).toBe('5 seconds ago')
    expect(ago(0, 3 * 3600_000)).toBe('3 hours ago')
    expect(ago(0, 800 * 86400_000)).toBe('2 years ago')
    expect(duration(75)).toBe('1:15')
    expect(duration(3725)).toBe('1:02:05')
  })
})
