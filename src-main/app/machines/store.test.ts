import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { defaultMachine } from '../../machine/config.ts'
import { MachineStore, writeWhole, type SavedMachine } from './store.ts'

const scratch = scratchFolder('store')
const machine: SavedMachine = {
  id: 'debian-1',
  config: { ...defaultMachine, name: 'Debian', kernel: '/boot/vmlinuz' },
  created: Date.UTC(2026, 0, 2),
  thumbnail: ['login:'],
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = path.join(scratch, Math.random().toString(36).slice(2))
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  return folder
}

describe('saved machines', () => {
  it('come back as they were, from readable JSON', async () => {
    const folder = folderWith({})
    const store = new MachineStore(folder)
    await store.load()
    await store.save({ ...machine, lastStarted: Date.UTC(2026, 5, 7, 8) })
    expect(readFileSync(path.join(folder, 'debian-1.json'), 'utf8')).toContain(
      '\n  "lastStarted": "2026-06-07T08:00:00.000Z"',
    )
    const again = await new MachineStore(folder).load()
    expect(again).toEqual({ machines: [{ ...machine, lastStarted: Date.UTC(2026, 5, 7, 8) }], unreadable: [] })
  })
  it('keep fields that this version does not know, and drop ours that were taken away', async () => {
    const folder = folderWith({})
    const first = new MachineStore(folder)
    await first.load()
    await first.save(machine)
    const file = path.join(folder, 'debian-1.json')
    const edited = JSON.parse(readFileSync(file, 'utf8')) as { machine: Record<string, unknown>; colour?: string }
    edited.colour = 'green'
    edited.machine.sound = { card: 'es1370' }
    writeFileSync(file, JSON.stringify(edited))
    const store = new MachineStore(folder)
    const { machines } = await store.load()
    const { kernel, ...without } = machines[0].config
    expect(kernel).toBe('/boot/vmlinuz')
    await store.save({ ...machines[0], config: without })
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { machine: Record<string, unknown>; colour?: string }
    expect([saved.colour, saved.machine.sound, 'kernel' in saved.machine]).toEqual(['green', { card: 'es1370' }, false])
  })
  it('that cannot be read are named and left alone', async () => {
    const broken = { 'a.json': '{', 'b.json': '{"version":99}', 'c.json': JSON.stringify({ version: 1 }), 'd.txt': 'x' }
    const folder = folderWith(broken)
    const { machines, unreadable } = await new MachineStore(folder).load()
    expect(machines).toEqual([])
    expect(unreadable.map(({ file }) => path.basename(file))).toEqual(['a.json', 'b.json', 'c.json'])
    expect(unreadable[1].sentence).toContain('newer version')
    for (const [name, text] of Object.entries(broken)) expect(readFileSync(path.join(folder, name), 'utf8')).toBe(text)
  })
  it('are whole files: many saves at once leave the last one and no rest', async () => {
    const folder = folderWith({})
    const store = new MachineStore(folder)
    await store.load()
    const names = Array.from({ length: 20 }, (_, n) => `name ${n}`)
    await Promise.all(names.map((name) => store.save({ ...machine, config: { ...machine.config, name } })))
    expect(readdirSync(folder)).toEqual(['debian-1.json'])
    expect((await new MachineStore(folder).load()).machines[0].config.name).toBe('name 19')
    await store.remove('debian-1')
    expect(readdirSync(folder)).toEqual([])
  })
  it('that cannot be written leave the old file', async () => {
    const folder = folderWith({ taken: '' })
    await expect(writeWhole(path.join(folder, 'taken', 'file.json'), 'x')).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})
