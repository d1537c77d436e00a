/** What the system's own dialogs say, in the menu's language: they belong to the main process, not to the window. */
import type { FilePurpose } from '../../contract/services/files.ts'

export interface DialogWords {
  readonly titles: Readonly<Record<FilePurpose, string>>
  readonly images: string
  readonly text: string
  readonly all: string
  running(names: readonly string[]): string
  readonly quitDetail: string
  readonly quit: string
  readonly stay: string
}

const english: DialogWords = {
  titles: {
    kernel: 'Choose a kernel',
    initrd: 'Choose an initial ramdisk',
    disk: 'Choose a disk image',
    folder: 'Choose a folder',
    'kernel-tree': 'Choose a kernel tree',
    any: 'Open files',
    symbols: 'Choose a vmlinux or System.map',
    'save-log': 'Save the console',
    'save-disk': 'New disk image',
  },
  images: 'Disk images',
  text: 'Text',
  all: 'All files',
  running: (names) =>
    names.length === 1 ? `${names[0]} is running.` : `${names.length} machines are running: ${names.join(', ')}.`,
  quitDetail: 'Quitting ends them as if their power was cut. Their disks are written first.',
  quit: 'Quit',
  stay: 'Go on',
}

const portuguese: DialogWords = {
  titles: {
    kernel: 'Escolher um kernel',
    initrd: 'Escolher um ramdisk inicial',
    disk: 'Escolher uma imagem de disco',
    folder: 'Escolher uma pasta',
    'kernel-tree': 'Escolher uma árvore do kernel',
    any: 'Abrir arquivos',
    symbols: 'Escolher um vmlinux ou System.map',
    'save-log': 'Salvar o console',
    'save-disk': 'Nova imagem de disco',
  },
  images: 'Imagens de disco',
  text: 'Texto',
  all: 'Todos os arquivos',
  running: (names) =>
    names.length === 1
      ? `${names[0]} está em execução.`
      : `${names.length} máquinas estão em execução: ${names.join(', ')}.`,
  quitDetail: 'Sair as encerra como se faltasse energia. Os discos são gravados antes.',
  quit: 'Sair',
  stay: 'Continuar',
}

/** `language`: as Electron or the settings name it; anything that is not Portuguese is English. */
export const dialogWords = (language: string): DialogWords => (/^pt\b/i.test(language) ? portuguese : english)
