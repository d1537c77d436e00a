/** Is the window dark now? For what cannot use CSS colours (the terminal). */
import { MediaQuery } from 'svelte/reactivity'

let system: MediaQuery | undefined

export function darkness(theme: 'system' | 'light' | 'dark'): boolean {
  if (theme !== 'system') return theme === 'dark'
  system ??= new MediaQuery('prefers-color-scheme: dark')
  return system.current
}
