/** What a guest was told to be on the disk is there: flushes, failures of the host, a kill in the middle of writing, a second opener. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { BOOT_SECONDS, PROMPT } from '../default-guest-flags.ts'
import { commandOf, type GuestConsole } from '../guest-console.ts'
import { Workbench } from '../session.ts'

const bench = new Workbench()
afterEach(() => bench.stopAll())
afterAll(() => bench.remove())

/** Runs `work` while strace looks at the machine's process, or has calls fail in it; gives the trace. */
async function traced(guest: GuestConsole, expression: string, work: () => Promise<void>): Promise<string> {
  const file = path.join(bench.folder, 'trace')
  const strace = spawn('strace', ['-f', '-y', '-o', file, '-e', expression, '-p', String(guest.child.pid)])
  await attached(strace)
  await work()
  const ended = new Promise((resolve) => strace.on('close', resolve))
  strace.kill('SIGINT')
  await ended
  return readFileSync(file, 'utf8')
}

function attached(strace: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    strace.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (/attached/.test(said)) resolve()
    })
    strace.on('close', () => reject(new Error(`strace could not look at the machine: ${said}`)))
  })
}

const synced = 'dd if=/dev/zero of=/dev/sda bs=4k count=8 seek=100 conv=fsync'

describe('the disk of a machine', () => {
  it('is written when the guest hears that it is, and fails when the host fails', async () => {
    const guest = bench.start('longmode', await bench.fullMachine())
    await guest.expect(PROMPT, BOOT_SECONDS)
    const good = await traced(guest, 'trace=fdatasync,pwrite64,pwritev', async () => {
      expect(await guest.run(synced)).toMatchObject({ status: 0 })
    })
    const calls = good.split('\n').filter((line) => line.includes('disk.img'))
    expect(calls.findLastIndex((line) => line.includes('fdatasync'))).toBeGreaterThan(
      calls.findLastIndex((line) => line.includes('pwrite')),
    )
    expect(calls.some((line) => line.includes('pwrite'))).toBe(true)
    const bad = await traced(guest, 'inject=fdatasync:error=EIO', async () => {
      const { output, status } = await guest.run(synced, 120)
      expect(status).toBe(1)
      expect(output).toMatch(/Input\/output error|I\/O error/)
    })
    expect(bad).toMatch(/fdatasync\(.*disk\.img.*EIO.*INJECTED/)
    expect(await guest.run(synced)).toMatchObject({ status: 0 })
  })

  it('holds what was synced, and can be repaired, after a kill -9 in the middle of writing', async () => {
    const guest = bench.start('longmode', await bench.fullMachine())
    await guest.expect(PROMPT, BOOT_SECONDS)
    const write = 'mount /dev/sda /mnt && seq 1 20000 > /mnt/synced && sync && sha256sum /mnt/synced'
    const sum = /[0-9a-f]{64}/.exec((await guest.run(write)).output)![0]
    guest.type(
      'n=0; while :; do n=$((n+1)); seq 1 3000 > /mnt/f$n; rm -f /mnt/f$((n-20)); sync; echo "round:$n"; done\n',
    )
    await guest.expect('round:12\r')
    guest.child.kill('SIGKILL')
    await guest.exited
    const { status, stdout } = spawnSync('e2fsck', ['-fy', bench.disk], { encoding: 'utf8' })
    // 0: nothing to do; 1: errors corrected
    expect([0, 1], stdout).toContain(status)
    execFileSync('e2fsck', ['-fn', bench.disk], { stdio: 'pipe' })
    const copy = path.join(bench.folder, 'synced')
    execFileSync('debugfs', ['-R', `dump /synced ${copy}`, bench.disk], { stdio: 'pipe' })
    expect(execFileSync('sha256sum', [copy]).toString()).toContain(sum)
  })

  it('is refused to a second machine', async () => {
    const flags = await bench.fullMachine()
    const first = bench.start('longmode', flags)
    await first.expect('Linux version', BOOT_SECONDS)
    const [command, args] = commandOf('longmode', flags)
    const second = spawnSync(command, args, { encoding: 'utf8', input: '' })
    expect(second.status).toBe(1)
    expect(second.stderr.trim().split('\n').at(-1)).toBe(
      `longmode: Disk image ${bench.disk} is in use by another virtual machine or program.`,
    )
  })
})
