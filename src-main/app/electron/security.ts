/** What a page may do in Electron: show itself. The rest is refused here, whoever asks. */
import type { App, IpcMainEvent, Session } from 'electron'
import { PAGE_HOST, PAGE_SCHEME } from './channel.ts'

/** Copy and paste in the console; nothing else needs a permission. */
const allowedPermissions: readonly string[] = ['clipboard-read', 'clipboard-sanitized-write']

export function isOurPage(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, host } = new URL(url)
  return protocol === `${PAGE_SCHEME}:` && host === PAGE_HOST
}

/** A message counts when it comes from the page itself: not from a frame in it, not from another page, not from one that is gone. */
export function isTrustedSender({ sender, senderFrame }: Pick<IpcMainEvent, 'sender' | 'senderFrame'>): boolean {
  return senderFrame !== null && senderFrame === sender.mainFrame && isOurPage(senderFrame.url)
}

export function restrictSession(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(contents !== null && isOurPage(contents.getURL()) && allowedPermissions.includes(permission)),
  )
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => isOurPage(origin) && allowedPermissions.includes(permission),
  )
}

/** No page leaves its place, opens a window or embeds one. `openPage` is told of links to other pages. */
export function restrictContents(app: App, openPage: (url: string) => void): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => {
      if (!isOurPage(event.url)) event.preventDefault()
    })
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      openPage(url)
      return { action: 'deny' }
    })
  })
}
