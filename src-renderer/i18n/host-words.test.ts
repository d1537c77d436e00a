import { describe, expect, it } from 'vitest'
import { HostWords } from './host-words.ts'
import { hostPtBR } from './pt-br-host-table.ts'

const words = new HostWords(hostPtBR)

describe('sentences of the process side', () => {
  it('are found by their text with its values', () => {
    expect(words.say('tutorial is running already')).toBe('tutorial já está em execução')
    expect(words.say('/home/ana/a: b.raw does not exist any more')).toBe('/home/ana/a: b.raw não existe mais')
  })
  it('have reasons that are sentences too', () => {
    expect(words.say('the kernel /src/bzImage: does not exist')).toBe('o kernel /src/bzImage: não existe')
    expect(words.say('Disk image /a.qcow2 is a damaged qcow2 image (its header is cut off).')).toBe(
      'A imagem de disco /a.qcow2 é uma imagem qcow2 danificada (o cabeçalho está cortado).',
    )
  })
  it('may begin with a capital, and be put together', () => {
    expect(words.say('The machine ran out of host memory')).toBe('A memória deste computador acabou para a máquina')
    expect(words.say('the shared folder /x: is there again')).toBe('a pasta compartilhada /x: está lá de novo')
  })
  it('stay as they are when nobody knows them', () => {
    expect(words.say("make[1]: *** No rule to make target 'x'.")).toBe("make[1]: *** No rule to make target 'x'.")
    expect(words.find('')).toBeUndefined()
  })
  it('keep the values as they came, also what a pattern would take for its own', () => {
    expect(words.say('$& (.*) is running already')).toBe('$& (.*) já está em execução')
  })
})
