/** The menus of boot loaders: grub.cfg as grub-mkconfig writes it, and entries of the Boot Loader Specification. */

export interface MenuEntry {
  readonly title: string
  readonly kernel: string
  readonly initrds: readonly string[]
  /** The kernel's command line. */
  readonly append: string
}

/** `key value` a line. Undefined when it names no Linux kernel. */
export function parseLoaderEntry(text: string): MenuEntry | undefined {
  const lines = text.split('\n').map((line) => /^\s*([a-z-]+)\s+(.*\S)/.exec(line))
  const values = (key: string) => lines.filter((line) => line?.[1] === key).map((line) => line![2]!)
  const [kernel] = values('linux')
  if (kernel === undefined) return undefined
  return {
    title: values('title')[0] ?? kernel,
    kernel: absolute(kernel),
    initrds: values('initrd')
      .flatMap((value) => value.split(/\s+/))
      .map(absolute),
    append: values('options').join(' '),
  }
}

const absolute = (path: string): string => (path.startsWith('/') ? path : `/${path}`)

/**
 * Entries with a `linux` command, in the order of the menu, those of sub-menus too; the saved or numbered default first. Of GRUB's
 * language `set` and variables are understood; conditions are not, so both branches count.
 */
export function parseGrub(text: string): MenuEntry[] {
  const variables = new Map<string, string>()
  const entries: { entry: MenuEntry; level: number }[] = []
  const titles: (string | undefined)[] = []
  let current: { title: string; kernel?: string; initrds: string[]; append: string } | undefined
  for (const line of text.split('\n')) {
    const words = splitWords(line.trim(), variables)
    const [command = '', ...rest] = words
    if (command === 'set') assign(rest[0] ?? '', variables)
    else if (command === 'submenu') titles.push(rest[0])
    else if (command === 'menuentry') {
      titles.push(undefined)
      current = { title: rest[0] ?? '', initrds: [], append: '' }
    } else if (/^linux(16|efi)?$/.test(command) && current) {
      current.kernel = withoutDevice(rest[0] ?? '')
      current.append = rest.slice(1).join(' ')
    } else if (/^initrd(16|efi)?$/.test(command) && current) current.initrds.push(...rest.map(withoutDevice))
    else if (command === '}' && titles.length > 0) {
      if (titles.pop() === undefined && current) {
        const { kernel, ...rest } = current
        if (kernel !== undefined) entries.push({ entry: { ...rest, kernel }, level: titles.length })
        current = undefined
      }
    }
  }
  const index = Number(variables.get('default') ?? '0')
  const top = entries.filter(({ level }) => level === 0)
  const chosen = Number.isInteger(index) ? top[index] : undefined
  const all = entries.map(({ entry }) => entry)
  return chosen ? [chosen.entry, ...all.filter((entry) => entry !== chosen.entry)] : all
}

/** `(hd0,gpt1)/vmlinuz` */
const withoutDevice = (path: string): string => absolute(path.replace(/^\([^)]*\)/, ''))

function assign(text: string, variables: Map<string, string>): void {
  const at = text.indexOf('=')
  if (at > 0) variables.set(text.slice(0, at), text.slice(at + 1))
}

/** Words of a line, quotes taken off, variables put in; comments end it. */
function splitWords(line: string, variables: ReadonlyMap<string, string>): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  const push = () => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (quote === "'") {
      if (character === quote) quote = ''
      else word = (word ?? '') + character
    } else if (character === '$') {
      const match = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/.exec(line.slice(at))
      if (match) {
        word = (word ?? '') + (variables.get(match[1] ?? match[2] ?? '') ?? '')
        at += match[0].length - 1
      }
    } else if (quote === '"') {
      if (character === quote) quote = ''
      else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (character === '\\' && at + 1 < line.length) word = (word ?? '') + line[++at]!
    else if (character === '#' && word === undefined) break
    else if (/[\s;]/.test(character)) push()
    else word = (word ?? '') + character
  }
  push()
  return words
}
