/** The sixteen colours of a terminal, for both looks of the window. */
import type { ITheme } from '@xterm/xterm'

const light: ITheme = {
  background: '#fdfcfa',
  foreground: '#22252a',
  cursor: '#1650a8',
  cursorAccent: '#fdfcfa',
  selectionBackground: '#c5d9f7',
  black: '#22252a',
  red: '#ae2318',
  green: '#17693a',
  yellow: '#875000',
  blue: '#1650a8',
  magenta: '#86308a',
  cyan: '#0a6773',
  white: '#62646a',
  brightBlack: '#6d7076',
  brightRed: '#c4382b',
  brightGreen: '#1f7a45',
  brightYellow: '#96600c',
  brightBlue: '#2a66c4',
  brightMagenta: '#9c45a0',
  brightCyan: '#127886',
  brightWhite: '#15171a',
}

const dark: ITheme = {
  background: '#1b1e22',
  foreground: '#d9dde1',
  cursor: '#82b4ff',
  cursorAccent: '#1b1e22',
  selectionBackground: '#2f4f80',
  black: '#30353b',
  red: '#ff8d80',
  green: '#62cd8b',
  yellow: '#e8b455',
  blue: '#82b4ff',
  magenta: '#d9a0e0',
  cyan: '#6fcbd6',
  white: '#c3c8ce',
  brightBlack: '#858d96',
  brightRed: '#ffaaa0',
  brightGreen: '#8be0aa',
  brightYellow: '#f3cb80',
  brightBlue: '#a5caff',
  brightMagenta: '#e8bdee',
  brightCyan: '#97dee6',
  brightWhite: '#f4f6f8',
}

export const terminalTheme = (isDark: boolean): ITheme => (isDark ? dark : light)
