/** Tells that a build has ended to whoever looks at something else: another panel, or another window. */
import type { Build } from '../../src-main/contract/services/kernel.ts'
import { said, t } from '../i18n/i18n.svelte.ts'
import { isRunning } from '../kernel/build-state.ts'
import type { Session } from './session.svelte.ts'

/** How long it stays in the corner, in ms. */
const NEWS_MS = 15_000

/** In a browser the page tells by itself, when the user lets it; its title says it in any case until the page is looked at. */
function tellInBrowser(title: string, text: string): void {
  if ('Notification' in globalThis && Notification.permission === 'granted') {
    const note = new Notification(title, { body: text })
    note.onclick = () => window.focus()
  }
  const before = document.title
  document.title = `${title} · ${before}`
  const back = () => {
    if (document.hidden) return
    document.title = before
    document.removeEventListener('visibilitychange', back)
  }
  document.addEventListener('visibilitychange', back)
}

function tell(session: Session, build: Build): void {
  const title = t(`build.${build.result?.outcome ?? 'failed'}`)
  const text = said(build.sentence ?? build.result?.firstError?.message ?? build.folder)
  if (!document.hidden) {
    if (session.tab !== 'kernel') session.say(`${title}: ${text}`, NEWS_MS)
  } else if (session.host?.carrier === 'electron') {
    void session.attempt(() => session.api.application.notify({ title, text }))
  } else tellInBrowser(title, text)
}

/** Call it once for the window. */
export function tellOfBuilds(session: Session): void {
  // A build is told of when it begins and when it has ended.
  session.api.kernel.on('buildChanged', (build) => {
    if (!isRunning(build)) tell(session, build)
  })
}

/** A browser asks its user once, when the first build is asked for: only then is it clear what for. */
export function allowNews(session: Session): void {
  if (session.host?.carrier !== 'browser' || !('Notification' in globalThis)) return
  if (Notification.permission === 'default') void Notification.requestPermission().catch(() => undefined)
}
