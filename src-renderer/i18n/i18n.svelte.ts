/**
 * The window's words. `t('console.search')` gives the text in the language of now and changes with it, since it reads a rune. English is
 * the measure: `Key` is its keys, and the other language has exactly the same (a test and the type say so).
 */
import { en, type Key, type Words } from './en-table.ts'
import { HostWords } from './host-words.ts'
import { hostPtBR } from './pt-br-host-table.ts'
import { ptBR } from './pt-br-table.ts'

export type Language = 'en' | 'pt-BR'
export type { Key }
type Values = Readonly<Record<string, string | number>>

const words: Readonly<Record<Language, Words>> = { en, 'pt-BR': ptBR }

class Locale {
  language = $state<Language>('en')
}
const locale = new Locale()

export function language(): Language {
  return locale.language
}

/** `system`: Portuguese where the system's first known language is Portuguese, else English. */
export function setLanguage(wanted: Language | 'system'): void {
  const known = navigator.languages.find((tag) => /^(pt|en)\b/i.test(tag))
  locale.language = wanted === 'system' ? (/^pt\b/i.test(known ?? '') ? 'pt-BR' : 'en') : wanted
  document.documentElement.lang = locale.language
}

const hostWords = new HostWords(hostPtBR)

/** What the process side said, in the language of now; without a translation as it is. */
export function said(text: string): string {
  return locale.language === 'pt-BR' ? hostWords.say(text) : text
}

/** The text of a key; `{name}` in it is replaced by `values.name`. */
export function t(key: Key, values?: Values): string {
  const text = words[locale.language][key]
  return values === undefined
    ? text
    : text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** The text of a key that may not exist; then `otherwise`. For words of the process side that are a closed list, but not ours. */
export function wordOr(key: string, otherwise: string): string {
  return (words[locale.language] as Readonly<Record<string, string>>)[key] ?? otherwise
}

/** Keys that come as a pair `x.one` and `x.other`. */
export type PluralKey = {
  [K in Key]: K extends `${infer Stem}.one` ? (`${Stem}.other` extends Key ? Stem : never) : never
}[Key]

/** One or several: `{n}` is the number, written as the language does. */
export function plural(stem: PluralKey, n: number): string {
  const form = new Intl.PluralRules(locale.language).select(n) === 'one' ? 'one' : 'other'
  return t(`${stem}.${form}`, { n: number(n) })
}

export function number(n: number, digits = 0): string {
  return new Intl.NumberFormat(locale.language, { maximumFractionDigits: digits }).format(n)
}

/** Bytes as people say them: 1.5 GiB. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 2 ** (10 * step)
  return `${number(value, value < 10 && step > 0 ? 1 : 0)} ${units[step]}`
}

/** How long ago, in words: "5 minutes ago". `at` and `now` in milliseconds since 1970. */
export function ago(at: number, now = Date.now()): string {
  const seconds = Math.round((at - now) / 1000)
  const format = new Intl.RelativeTimeFormat(locale.language, { numeric: 'auto' })
  const steps = [
    ['second', 60],
    ['minute', 60],
    ['hour', 24],
    ['day', 30],
    ['month', 12],
  ] as const
  let value = seconds
  for (const [unit, next] of steps) {
    if (Math.abs(value) < next) return format.format(value, unit)
    value = Math.trunc(value / next)
  }
  return format.format(value, 'year')
}

export function clock(at: number): string {
  return new Intl.DateTimeFormat(locale.language, { timeStyle: 'medium', hourCycle: 'h23' }).format(at)
}

/** 75 -> 1:15, 3725 -> 1:02:05. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}
