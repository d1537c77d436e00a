/** Opens the built window in Debian's chromium over a made-up process side; everything is closed after each test. */
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { buildWindow } from '../../src-main/app/build/window.ts'
import type { Settings } from '../../src-main/contract/services/application.ts'
import type { Machine } from '../../src-main/contract/services/machines.ts'
import { FakeHost } from './fake-host.ts'
import { serveFake } from './serve-fake.ts'

export interface OpenOptions {
  readonly settings?: Partial<Settings>
  readonly machines?: readonly Machine[]
  /** What the first machine's console has said beside its boot. */
  readonly said?: string
  /** The window's clock stands at this time (ms since 1970, UTC). */
  readonly at?: number
  readonly context?: BrowserContextOptions
}

export interface OpenWindow {
  readonly fake: FakeHost
  readonly page: Page
  /** What went wrong in the page and in the made-up process side. */
  readonly faults: () => readonly string[]
}

/** What chromium is told of graphics: none at all, where the terminal draws by the DOM and its text can be read; or a graphics card made of software. */
const graphics = { none: ['--disable-3d-apis'], software: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'] }

/** Call it at the top of a test file; it gives what opens a window. */
export function windows(card: keyof typeof graphics = 'none'): (options?: OpenOptions) => Promise<OpenWindow> {
  let browser: Browser
  let context: BrowserContext | undefined
  let close = () => undefined as void
  beforeAll(async () => {
    expect(await buildWindow(() => undefined)).toBeUndefined()
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', ...graphics[card]],
    })
  }, 120_000)
  afterAll(() => browser.close())
  afterEach(async () => {
    await context?.close()
    close()
  })
  return async ({ settings = {}, machines, said = '', at, context: more = {} } = {}) => {
    const fake = new FakeHost({ now: at ?? Date.now(), settings, ...(machines === undefined ? {} : { machines }) })
    fake.say('tutorial', said)
    const served = await serveFake(fake)
    close = served.close
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...more })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await context.newPage()
    if (at !== undefined) await page.clock.setFixedTime(at)
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(served.url)
    return { fake, page, faults: () => [...faults, ...fake.faults] }
  }
}

export const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true }).click()
