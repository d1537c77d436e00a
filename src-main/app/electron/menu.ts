/** The menu bar. What it does in the window, the window's command palette does too; the keys do not take any from the guest's console. */
import process from 'node:process'
import type { MenuItemConstructorOptions } from 'electron'
import type { WindowCommand } from '../../contract/services/application.ts'

type Item = MenuItemConstructorOptions

interface Words {
  readonly [id: string]: string
}

const english: Words = {
  file: '&File',
  edit: '&Edit',
  view: '&View',
  machine: '&Machine',
  help: '&Help',
  'new-machine': 'New machine…',
  'import-command': 'Paste a QEMU command…',
  'open-files': 'Open files…',
  'open-kernel-tree': 'Open a kernel tree…',
  settings: 'Preferences…',
  quit: 'Quit Longmode',
  copy: 'Copy',
  paste: 'Paste',
  'select-all': 'Select all',
  find: 'Find…',
  'command-palette': 'Commands…',
  'show-console': 'Console',
  'show-memory': 'Memory',
  'show-kernel': 'Kernel',
  'show-share': 'Shared folder',
  'show-disks': 'Disks',
  'show-settings': 'Settings of the machine',
  'zoom-in': 'Larger text',
  'zoom-out': 'Smaller text',
  'zoom-reset': 'Normal text',
  'machine-start': 'Start',
  'machine-pause': 'Pause or go on',
  'machine-restart': 'Restart',
  'machine-reset': 'Reset at once',
  'machine-power-off': 'Power off',
  'machine-kill': 'End now',
  about: 'About Longmode',
}

const portuguese: Words = {
  file: '&Arquivo',
  edit: '&Editar',
  view: 'E&xibir',
  machine: '&Máquina',
  help: 'A&juda',
  'new-machine': 'Nova máquina…',
  'import-command': 'Colar um comando do QEMU…',
  'open-files': 'Abrir arquivos…',
  'open-kernel-tree': 'Abrir uma árvore do kernel…',
  settings: 'Preferências…',
  quit: 'Sair do Longmode',
  copy: 'Copiar',
  paste: 'Colar',
  'select-all': 'Selecionar tudo',
  find: 'Localizar…',
  'command-palette': 'Comandos…',
  'show-console': 'Console',
  'show-memory': 'Memória',
  'show-kernel': 'Kernel',
  'show-share': 'Pasta compartilhada',
  'show-disks': 'Discos',
  'show-settings': 'Ajustes da máquina',
  'zoom-in': 'Texto maior',
  'zoom-out': 'Texto menor',
  'zoom-reset': 'Texto normal',
  'machine-start': 'Iniciar',
  'machine-pause': 'Pausar ou continuar',
  'machine-restart': 'Reiniciar',
  'machine-reset': 'Reiniciar já',
  'machine-power-off': 'Desligar',
  'machine-kill': 'Encerrar já',
  about: 'Sobre o Longmode',
}

/** As the window's own table has them: Ctrl with a letter alone belongs to the guest; with Shift it is free. On a Mac, Command is free. */
const keys: Readonly<Partial<Record<WindowCommand, string>>> = {
  'new-machine': 'CmdOrCtrl+Shift+M',
  'import-command': 'CmdOrCtrl+Shift+I',
  'open-files': 'CmdOrCtrl+Shift+O',
  settings: 'CmdOrCtrl+Shift+,',
  'command-palette': 'CmdOrCtrl+Shift+P',
  'show-console': 'CmdOrCtrl+Shift+1',
  'show-memory': 'CmdOrCtrl+Shift+2',
  'show-kernel': 'CmdOrCtrl+Shift+3',
  'show-share': 'CmdOrCtrl+Shift+4',
  'show-disks': 'CmdOrCtrl+Shift+5',
  'show-settings': 'CmdOrCtrl+Shift+6',
  'machine-start': 'CmdOrCtrl+Shift+Enter',
  'machine-pause': 'CmdOrCtrl+Shift+.',
  find: 'CmdOrCtrl+Shift+F',
  copy: process.platform === 'darwin' ? 'Cmd+C' : 'Ctrl+Shift+C',
  paste: process.platform === 'darwin' ? 'Cmd+V' : 'Ctrl+Shift+V',
  'select-all': 'CmdOrCtrl+Shift+A',
  'zoom-in': 'CmdOrCtrl+Shift+Plus',
  'zoom-out': 'CmdOrCtrl+Shift+-',
  'zoom-reset': 'CmdOrCtrl+Shift+0',
}

const menus: readonly (readonly [title: string, commands: readonly (WindowCommand | 'separator' | 'quit')[]])[] = [
  [
    'file',
    ['new-machine', 'import-command', 'open-files', 'open-kernel-tree', 'separator', 'settings', 'separator', 'quit'],
  ],
  ['edit', ['copy', 'paste', 'select-all', 'separator', 'find']],
  [
    'view',
    [
      'command-palette',
      'separator',
      'show-console',
      'show-memory',
      'show-kernel',
      'show-share',
      'show-disks',
      'show-settings',
      'separator',
      'zoom-in',
      'zoom-out',
      'zoom-reset',
    ],
  ],
  [
    'machine',
    [
      'machine-start',
      'machine-pause',
      'machine-restart',
      'separator',
      'machine-power-off',
      'machine-reset',
      'machine-kill',
    ],
  ],
  ['help', ['about']],
]

/** `send` gives the window a command; `language` is a locale such as `pt-BR`. */
export function menuTemplate(send: (command: WindowCommand) => void, language: string): Item[] {
  const words = /^pt/i.test(language) ? portuguese : english
  const item = (command: WindowCommand | 'separator' | 'quit'): Item => {
    if (command === 'separator') return { type: 'separator' }
    if (command === 'quit') return { role: 'quit', label: words.quit }
    const accelerator = keys[command]
    return {
      id: command,
      label: words[command],
      // The menu shows the key; the window itself hears it, and a command must not be run twice. (macOS gives keys to the menu first, always.)
      ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false }),
      click: () => send(command),
    }
  }
  return menus.map(([title, commands]) => ({ label: words[title], submenu: commands.map(item) }))
}
