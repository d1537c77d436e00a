/** The judge of the gdb stub: gdb itself, as Debian ships it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { packet } from '../../src-main/debug/gdb/packet.ts'
import { defaultMachine, MIB } from '../../src-main/machine/config.ts'
import { openGdbServer, type GdbServer } from '../../src-main/workers/gdb-server.ts'
import { MachineHandle } from '../../src-main/workers/machine-handle.ts'
import { buildGuest } from './guest/build.ts'

// a machine takes seconds to start where much else runs
vi.setConfig({ testTimeout: 90_000 })

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-gdb-'))
let guest: ReturnType<typeof buildGuest>
beforeAll(() => {
  guest = buildGuest(scratch)
})
const running: { handle: MachineHandle; server: GdbServer }[] = []
afterEach(async () => {
  for (const { handle, server } of running.splice(0)) {
    handle.quit()
    await handle.ended
    server.close()
  }
})
afterAll(() => rmSync(scratch, { recursive: true }))

async function start(): Promise<{ port: number; handle: MachineHandle }> {
  const config = { ...defaultMachine, kernel: guest.kernel, memory: 64 * MIB, startPaused: true }
  const handle = new MachineHandle(config, { output: () => Promise.resolve(), note: (text) => expect(text).toBe('') })
  await handle.debug.ask('breakpoints', {})
  const server = await openGdbServer(0, {
    target: handle.debug,
    monitor: (line) => Promise.resolve(`you said ${line}`),
    kill: () => handle.quit(),
  })
  if (typeof server === 'string') throw new Error(server)
  running.push({ handle, server })
  return { port: server.port, handle }
}

/** What gdb prints for these commands. */
async function gdb(port: number, commands: readonly string[]): Promise<string> {
  const all = [
    'set pagination off',
    'set confirm off',
    'set remotetimeout 25',
    `target remote 127.0.0.1:${port}`,
    ...commands,
  ]
  const words = ['-q', '-nx', '-batch', ...all.flatMap((command) => ['-ex', command]), guest.symbols]
  const { stdout, stderr } = await promisify(execFile)('gdb', words, { timeout: 80_000 })
  return stdout + stderr
}

it('breaks, steps, watches and shows registers of every kind', async () => {
  const { port, handle } = await start()
  const log = await gdb(port, [
    'break *work',
    'continue',
    'bt',
    'info registers rip cs cr0 cr3 efer fs_base',
    'p $xmm0.v2_int64[0]',
    'p $st0',
    'p $eflags',
    'watch *(long*)&counter',
    'continue',
    'delete',
    'tbreak *leaf',
    'continue',
    'stepi',
    'x/i $pc',
    'finish',
    'rwatch *(long*)&shadow',
    'set var $rbx = 0x1234',
    'stepi',
    'p/x $rbx',
    'set var *(long*)&counter = 5000',
    'p *(long*)&counter',
    'x/s &message',
    'x/x 0x12345678',
    'monitor hello',
    'maintenance packet Qqemu.PhyMemMode:1',
    'x/gx ((unsigned long)&counter_start & 0xffffff)',
    'detach',
  ])
  const seen = (what: string | RegExp) => expect(log).toMatch(what)
  seen(/Breakpoint 1, 0xffff8000001000[0-9a-f]{2} in work \(\)/)
  seen(/#0 +0x[0-9a-f]+ in work \(\)\n#1 +0x[0-9a-f]+ in main \(\)/)
  seen(/cs +0x8 /)
  seen(/cr0 +0x80010033 /)
  seen(/efer +0xd00 /)
  seen('$1 = 81985529216486895')
  seen('$2 = 1\n')
  seen(/Old value = 0\nNew value = 1\n.*in leaf \(\)/)
  seen(/Temporary breakpoint 3, 0x[0-9a-f]+ in leaf/)
  seen(/<leaf\+7>:\tmov +0x[0-9a-f]+\(%rip\),%rdx/)
  seen('= 0x1234\n')
  seen('= 5000\n')
  seen('"the banner of a guest"')
  seen('Cannot access memory at address 0x12345678')
  seen('you said hello')
  seen('0x0123456789abcdef')
  // after the detach the machine runs, and nothing of gdb is left in it
  expect(await handle.debug.ask('breakpoints', {})).toEqual([])
  await expect(handle.debug.ask('step', { count: 1 })).rejects.toThrow('pause it first')
})

it('stops a running machine at an interrupt, and outlives a gdb that dies', async () => {
  const { port, handle } = await start()
  await handle.debug.ask('resume', {})
  const socket = connect(port, '127.0.0.1')
  let seen = ''
  socket.on('data', (bytes) => (seen += bytes.toString('latin1')))
  const until = async (text: string) => {
    while (!seen.includes(text)) await new Promise((resolve) => socket.once('data', resolve))
    seen = ''
  }
  socket.write('$vCont;c#a8')
  await until('+')
  socket.write('\u0003')
  await until('$T02thread:01;#')
  socket.write('$Z0,100000,1#00') // a wrong checksum
  await until('-')
  socket.write(packet('Z0,100000,1'))
  await until('$OK#9a')
  expect(await handle.debug.ask('breakpoints', {})).toHaveLength(1)
  socket.destroy()
  while ((await handle.debug.ask('breakpoints', {})).length > 0);
  await expect(handle.debug.ask('step', { count: 1 })).rejects.toThrow('pause it first')
})

it('says in one sentence that its port is in use', async () => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => blocker.once('listening', resolve))
  const { port } = blocker.address() as { port: number }
  const { handle } = await start()
  const host = { target: handle.debug, monitor: () => Promise.resolve(''), kill: () => undefined }
  expect(await openGdbServer(port, host)).toBe(
    `-gdb: port ${port} of 127.0.0.1 is in use; give another with -gdb tcp::PORT`,
  )
  blocker.close()
})
