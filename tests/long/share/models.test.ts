/** The security models mean what they mean to QEMU: each machine reads what the other has left in a folder, and goes on with it. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import process from 'node:process'
import { expect, it } from 'vitest'
import type { Machine } from '../../boot/guest-console.ts'
import { must, shareGuests } from './guest.ts'

const { bootOn, end, folder } = shareGuests()
const MODELS = ['none', 'mapped-xattr', 'passthrough']
const MACHINES: readonly Machine[] = ['qemu', 'longmode']

/** Makes one file of each kind, then special ones: nodes of the host but with mapped-xattr. */
const MAKE = [
  'mkdir d && chown 5:6 d && chmod 2751 d && echo text > d/f && chown 1234:55 d/f && chmod 4640 d/f',
  'touch -d "2001-02-03 04:05:06" d/f && ln d/f hard && ln -s ../to/nowhere soft && chown -h 7:8 soft',
  'dd if=/dev/zero of=hole bs=1 seek=5000000 count=1 2>/dev/null && chmod 0 hole && mkdir -m 1777 sticky',
].join(' && ')
const MAKE_SPECIAL =
  'mkfifo -m 622 fifo && mknod -m 640 block b 7 300 && mknod -m 600 character c 300 70000 && chown 9:10 block'
/** Changes what the other machine has made. */
const CHANGE = [
  'chown 77:88 d d/f && chmod 1600 d/f && chmod 711 d && mv fifo d/fifo && ln hard d/harder && rm soft',
  'ln -s elsewhere soft && mv d/f "d/with blank" && chmod 644 hole && rmdir sticky',
].join(' && ')
const CHANGE_SPECIAL = 'chown 77:88 block && chmod 620 character'
/** All that a guest sees of them. */
const LOOK = `find . | sort | while read -r f; do stat -c '%n %f %u %g %h %s %t %T %N' "$f"; done; stat -c %Y hard; cat hard`

it.runIf(process.getuid?.() === 0).each(MACHINES)(
  'what %s makes the other one reads, changes and gives back',
  async (first) => {
    const shares = MODELS.map((model) => ({ model, tag: `as-${model}`, place: folder(`${first} ${model}`) }))
    const flags = shares.flatMap(({ model, tag, place }) => [
      '-virtfs',
      `local,path=${place},mount_tag=${tag},security_model=${model}`,
    ])
    const seen = new Map<string, string>()
    const inEach = async (machine: Machine, work: string | undefined, special = ':') => {
      const guest = await bootOn(machine, ...flags)
      for (const [i, { model, tag, place }] of shares.entries()) {
        const cd = `cd ${i === 0 ? '/root/host_folder' : `/root/${tag}`}`
        if (seen.has(model)) expect(`${model}:\n${await must(guest, `${cd} && ${LOOK}`)}`).toBe(seen.get(model))
        if (work !== undefined) await must(guest, `${cd} && ${work}`)
        // QEMU 7.2 answers ENXIO when it would have to touch a special file of the host, one that the guest has just made too.
        if (machine === 'longmode' || model === 'mapped-xattr') await must(guest, `${cd} && ${special}`)
        else if (special === MAKE_SPECIAL) execFileSync('sh', ['-c', special], { cwd: place })
        seen.set(model, `${model}:\n${await must(guest, `${cd} && ${LOOK}`)}`)
      }
      await end()
    }
    const second: Machine = first === 'qemu' ? 'longmode' : 'qemu'
    await inEach(first, MAKE, MAKE_SPECIAL)
    await inEach(second, CHANGE, CHANGE_SPECIAL)
    await inEach(first, undefined)
    for (const model of MODELS) expect(seen.get(model)).toMatch(/hard 8380 77 88 3 5 0 0 .\/hard\n/)
    // With mapped-xattr the host has files and folders of the one who shares, nothing else.
    const mapped = shares[1].place
    for (const name of fs.readdirSync(mapped)) {
      const stat = fs.lstatSync(`${mapped}/${name}`)
      expect(`${name} ${stat.isFile() || stat.isDirectory()} ${stat.uid}`).toBe(`${name} true ${process.getuid?.()}`)
    }
  },
)
