import { describe, expect, it } from 'vitest'
import { refusal } from './import-rule.ts'

const table = {
  bus: { rooms: [] },
  devices: { rooms: ['bus'] },
  'devices/virtio/ninep': { rooms: ['bus', 'devices', 'ninep'] },
  ninep: { rooms: [] },
  host: { rooms: ['devices'], packages: ['koffi'], node: true },
  'cpu/interpreter': { rooms: ['cpu'], except: ['cpu/translator'] },
}
const why = (file: string, source: string) => refusal(table, '/src-main', `/src-main/${file}`, source)

describe('the import rule', () => {
  it('allows the own room, base and the rooms of the table', () => {
    expect(why('devices/pit/pit.ts', './counter.ts')).toBeUndefined()
    expect(why('devices/pit/pit.ts', '../../base/clock.ts')).toBeUndefined()
    expect(why('devices/pit/pit.ts', '../../bus/bus.ts')).toBeUndefined()
    expect(why('devices/virtio/ninep/device.ts', '../../../ninep/wire.ts')).toBeUndefined()
  })
  it('refuses what the table does not name', () => {
    expect(why('devices/pit/pit.ts', '../../ninep/wire.ts')).toBe('devices may not import ninep/wire.ts')
    expect(why('bus/bus.ts', '../devices/backends.ts')).toContain('may not import')
    expect(why('cpu/interpreter/run.ts', '../translator/cache.ts')).toContain('may not import')
    expect(why('attic/a.ts', './b.ts')).toContain('not a room')
    expect(why('bus/bus.ts', '../../tests/x.ts')).toContain('leave src-main')
  })
  it('keeps node: and packages where they belong, tests apart', () => {
    expect(why('host/disk.ts', 'node:fs')).toBeUndefined()
    expect(why('bus/bus.ts', 'node:fs')).toBe('bus may not import node: modules')
    expect(why('bus/bus.test.ts', 'node:fs')).toBeUndefined()
    expect(why('host/libc.ts', 'koffi')).toBeUndefined()
    expect(why('host/libc.ts', 'electron')).toBe('host may not import the package electron')
    expect(why('bus/bus.test.ts', 'vitest')).toBeUndefined()
  })
})
