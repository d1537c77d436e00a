/** An xterm with all that the window wants of it, in one element. */
import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { WebglAddon } from '@xterm/addon-webgl'
import { Terminal } from '@xterm/xterm'
import { Questions } from './questions.ts'
import { terminalTheme } from './terminal-theme.ts'

export const SCROLLBACK_LINES = 10_000
const FONT = '"IBM Plex Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace'

export interface ConsoleTerminal {
  readonly terminal: Terminal
  readonly search: SearchAddon
  readonly questions: Questions
  /** Fits rows and columns to the element. */
  fit(): void
  dispose(): void
}

/**
 * WebGL where it can be had and lasts; xterm draws by the DOM when no other renderer is loaded. A burst of 5 MB costs the page 0.5 s of CPU with it and 1.0 s without,
 * and even with a graphics card made of software the whole browser is cheaper off (0.9 s against 1.3).
 */
function useWebgl(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon()
    webgl.onContextLoss(() => webgl.dispose())
    terminal.loadAddon(webgl)
  } catch {
    // No WebGL 2 here: the DOM renderer stays.
  }
}

export async function createTerminal(
  element: HTMLElement,
  options: { readonly fontSize: number; readonly dark: boolean; readonly openLink: (url: string) => void },
): Promise<ConsoleTerminal> {
  // xterm measures its cell when it opens; with a font that arrives later every column would be off.
  await document.fonts.load(`${options.fontSize}px "IBM Plex Mono"`).catch(() => undefined)
  const terminal = new Terminal({
    scrollback: SCROLLBACK_LINES,
    fontFamily: FONT,
    fontSize: options.fontSize,
    lineHeight: 1.15,
    theme: terminalTheme(options.dark),
    cursorBlink: false,
    allowProposedApi: true,
    minimumContrastRatio: 4.5,
    macOptionIsMeta: true,
    // Guests cut escape sequences short (systemd does, on narrow terminals); that is no fault to log.
    logLevel: 'off',
  })
  const fit = new FitAddon()
  const search = new SearchAddon()
  terminal.loadAddon(fit)
  terminal.loadAddon(search)
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  terminal.loadAddon(new WebLinksAddon((_event, url) => options.openLink(url)))
  terminal.open(element)
  useWebgl(terminal)
  fit.fit()
  const questions = new Questions(terminal)
  return { terminal, search, questions, fit: () => fit.fit(), dispose: () => terminal.dispose() }
}
