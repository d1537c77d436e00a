/**
 * The translator and the interpreter side by side (`-accel both`) on the tutorial's Debian: systemd boots from a disk, a shared folder is mounted, and gcc
 * compiles for as long as LONGMODE_LOCKSTEP_MINUTES says (30), every unit another one. The program ends with 1 at the first difference.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, expect, it } from 'vitest'
import { GuestConsole } from '../../boot/guest-console.ts'
import { debianDisk, HOST_NAME } from '../tutorial/debian-disk.ts'
import { tutorialKernel } from '../tutorial/tutorial-kernel.ts'

const minutes = Number(process.env.LONGMODE_LOCKSTEP_MINUTES ?? 30)
/** Seconds that one step may take on a computer with other work to do; nothing is measured by it. */
const PATIENCE = 7200

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-lockstep-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** `source N` prints a program of many functions, another one for each N. */
const MAKE_SOURCE = [
  'source() { echo "#include <stdio.h>"; echo "#include <stdlib.h>"; echo "#include <string.h>"; i=0',
  'while [ $i -lt 40 ]; do echo "unsigned f$i(unsigned a) { for (unsigned k = 0; k < a % $((i + $1 + 3)); k++) a = a * $((i * 7 + $1)) ^ a >> $((i % 13 + 1)); return a; }"; i=$((i+1)); done',
  'echo "int main(void) { double d = $1; unsigned s = 0; for (unsigned a = 0; a < 500; a++) s += f7(a) ^ f21(a) ^ f39(a); d = d * 3 / 3; printf(\\"unit %d %u\\", (int)d, s); puts(\\"\\"); return 0; }"; }',
].join('; ')

const LEVELS = ['-O2', '-O0', '-O3 -march=x86-64-v2', '-Os -m32']

it('a Debian that boots and compiles is the same on both', { timeout: 0 }, async () => {
  const guest = new GuestConsole('longmode', [
    ...['-accel', 'both', '-nographic', '-m', '512M', '-cpu', 'max', '-kernel', tutorialKernel()],
    ...['-append', 'root=/dev/sda rw console=ttyS0 loglevel=6'],
    ...['-drive', `file=${debianDisk()},format=raw,index=0,media=disk,snapshot=on`],
    ...['-fsdev', `local,id=fs1,path=${scratch},security_model=mapped-xattr`],
    ...['-device', 'virtio-9p-pci,fsdev=fs1,mount_tag=shared_folder'],
  ])
  try {
    await guest.expect(`${HOST_NAME} login: `, PATIENCE)
    guest.type('root\n')
    await guest.expect('# ', PATIENCE)
    const prepare = `mkdir -p /share && mount -t 9p -o trans=virtio shared_folder /share; ${MAKE_SOURCE}`
    expect(await guest.run(prepare, PATIENCE)).toMatchObject({ status: 0 })
    const begun = performance.now()
    let units = 0
    let result = ''
    for (; performance.now() - begun < minutes * 60_000; units++) {
      const level = units % LEVELS.length
      const source = Math.floor(units / LEVELS.length)
      const unit = `source ${source} > u.c && gcc ${LEVELS[level]} u.c -o u && ./u | tee /share/result`
      const { output, status } = await guest.run(unit, PATIENCE)
      expect({ output, status }).toMatchObject({
        output: expect.stringMatching(`unit ${source} \\d+\n`) as string,
        status: 0,
      })
      expect(readFileSync(path.join(scratch, 'result'), 'utf8')).toBe(output)
      // the same program, whatever the optimizer makes of it
      if (level > 0) expect(output).toBe(result)
      result = output
    }
    console.log(`${units} units compiled`)
    guest.type('\u0001cinfo jit\r')
    console.log(await guest.expect(/retired [\s\S]*?translated into .*\r?\n/, PATIENCE))
    guest.type('\u0001c\r')
    await guest.expect('# ', PATIENCE)
    guest.type('poweroff\n')
    expect(await guest.exited).toBe(0)
  } catch (error) {
    // the report of a difference is longer than what an error shows
    console.log(guest.log.slice(-12_000))
    throw error
  } finally {
    await guest.kill()
  }
})
