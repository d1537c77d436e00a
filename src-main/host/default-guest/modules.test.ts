import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { dependenciesOf, ModuleTree } from './modules.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-modules-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** As much of a module as is looked at: its .modinfo strings. */
const module = (depends: string) => Buffer.from(`\u007fELF\0license=GPL\0depends=${depends}\0retpoline=Y\0`)

mkdirSync(path.join(folder, 'kernel/fs'), { recursive: true })
const write = (name: string, depends: string) =>
  writeFileSync(path.join(folder, 'kernel/fs', `${name}.ko`), module(depends))
write('9p', '9pnet,netfs')
write('9pnet', '')
write('netfs', 'built-in-one')
write('virtio-rng', '9pnet')
write('broken', 'gone')
writeFileSync(path.join(folder, 'modules.builtin'), 'kernel/lib/built-in-one.ko\n')

describe('kernel modules', () => {
  it('name what they depend on', () => {
    expect(dependenciesOf(module('a,b-c'))).toEqual(['a', 'b_c'])
    expect(dependenciesOf(module(''))).toEqual([])
  })
  it('come each once, after what they need, without what the kernel has built in', () => {
    const order = new ModuleTree(folder).inLoadOrder(['virtio_rng', '9p', '9pnet'])
    expect(order.map(({ name }) => name)).toEqual(['9pnet.ko', 'virtio_rng.ko', 'netfs.ko', '9p.ko'])
  })
  it('are missed by name', () => {
    expect(() => new ModuleTree(folder).inLoadOrder(['broken'])).toThrow('the kernel package has no module gone')
  })
})
