/** The served window in Chromium with nothing exchanged; what the program makes lies in a folder of the test's, what it downloads is kept. */
import path from 'node:path'
import process from 'node:process'
import type { Browser } from 'playwright'
import { afterAll, beforeAll } from 'vitest'
import { cacheFolder } from '../../../src-main/host/cache-folder.ts'
import { launchBrowser, ServedApp } from '../../e2e/browser.ts'

interface TrueWindow {
  readonly app: ServedApp
}

/** Call it at the top of a test file; `app` is there when the tests run. */
export function trueWindow(scratch: string, prepare: () => void | Promise<void> = () => undefined): TrueWindow {
  let browser: Browser
  let app: ServedApp
  beforeAll(async () => {
    // The built-in machine shares a folder of the home folder; this is not the user's.
    process.env.XDG_CACHE_HOME = path.dirname(cacheFolder())
    process.env.XDG_STATE_HOME = path.join(scratch, 'state')
    process.env.HOME = scratch
    await prepare()
    browser = await launchBrowser()
    app = await ServedApp.start(browser, path.join(scratch, 'data'))
  })
  afterAll(async () => {
    await app.close()
    await browser.close()
  })
  return {
    get app() {
      return app
    },
  }
}
