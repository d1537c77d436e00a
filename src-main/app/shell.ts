/** What the process side needs of whatever shows the window: Electron, or a browser that looks at `serve`. */
import type { HostInfo } from '../contract/services/application.ts'
import type { FilePurpose } from '../contract/services/files.ts'

export interface ChooseOptions {
  readonly purpose: FilePurpose
  readonly multiple: boolean
  readonly name?: string
}

export interface Shell {
  readonly carrier: HostInfo['carrier']
  /** The system's dialog; undefined when nothing was chosen. Throws TroubleError where there are no dialogs. */
  choose(options: ChooseOptions): Promise<readonly string[] | undefined>
  openPage(url: string): Promise<void>
  reveal(path: string): Promise<void>
  notify(title: string, text: string): void
}
