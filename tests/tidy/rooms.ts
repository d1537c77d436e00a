import type { Room } from './import-rule.ts'

/**
 * Allowed imports (ARCHITECTURE.md). Every room may import itself and base; what else it may import stands here and nowhere
 * else. The lint rule is import-rule.ts; tidy.test.ts compares the table with ARCHITECTURE.md's.
 */
export const rooms: Readonly<Record<string, Room>> = {
  base: { rooms: [] },
  contract: { rooms: ['machine/config.ts'], packages: ['valibot'] },
  memory: { rooms: [] },
  cpu: { rooms: ['memory', 'bus'], packages: ['iced-x86'] },
  'cpu/interpreter': { rooms: ['cpu', 'memory', 'bus'], except: ['cpu/translator'] },
  'cpu/translator': { rooms: ['cpu', 'memory', 'bus'], except: ['cpu/interpreter'] },
  bus: { rooms: ['memory'] },
  // devices/contract.ts is the test suite that every device joins.
  devices: { rooms: ['bus', 'memory'], packages: ['vitest'] },
  'devices/virtio/ninep': { rooms: ['devices', 'bus', 'memory', 'ninep'] },
  ninep: { rooms: [] },
  host: { rooms: ['ninep', 'devices', 'memory'], packages: ['koffi', 'chokidar'], node: true },
  boot: { rooms: ['memory'] },
  snapshot: { rooms: ['memory'] },
  machine: { rooms: ['cpu', 'bus', 'devices', 'ninep', 'boot', 'memory', 'snapshot'] },
  debug: { rooms: ['cpu/state', 'cpu/mmu', 'memory', 'contract'], packages: ['iced-x86'] },
  'kernel-tree': { rooms: ['contract'], node: true },
  workers: { rooms: ['machine', 'host', 'debug', 'contract', 'devices', 'memory', 'ninep', 'bus'], node: true },
  app: {
    rooms: [
      'contract',
      'kernel-tree',
      'workers',
      'debug',
      'machine/qemu-flags',
      'machine/config.ts',
      'host',
      'boot',
      'cli/check-files.ts',
      'cli/monitor.ts',
    ],
    packages: ['electron', 'ws', 'valibot'],
    node: true,
  },
  cli: {
    rooms: [
      'contract',
      'kernel-tree',
      'workers',
      'machine/qemu-flags',
      'machine/config.ts',
      'host',
      'boot',
      'app/launch.ts',
    ],
    node: true,
  },
}
