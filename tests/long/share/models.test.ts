/** The security models mean what they mean to QEMU: each machine reads what the other has left in a folder, and goes on with it. */
import * as fs from 'node:fs'
import process from 'node:process'
import { expect, it } from 'vitest'
import type { Machine } from '../../boot/guest-console.ts'
import { must, shareGuests } from './guest.ts'

const { bootOn, end, folder } = shareGuests()
const MODELS = ['none', 'mapped-xattr', 'passthrough']
const MACHINES: readonly Machine[] = ['qemu', 'longmode']

/** Makes one file of each kind. Devices of `none` and `passthrough` are nodes of the host. */
const MAKE = [
  'mkdir d && chown 5:6 d && chmod 2751 d && echo text > d/f && chown 1234:55 d/f && chmod 4640 d/f',
  'touch -d "2001-02-03 04:05:06" d/f && ln d/f hard && ln -s ../to/nowhere soft && chown -h 7:8 soft',
  'mkfifo -m 622 fifo && mknod -m 640 block b 7 300 && mknod character c 300 70000 && chown 9:10 block',
  'dd if=/dev/zero of=hole bs=1 seek=5000000 count=1 2>/dev/null && chmod 0 hole && mkdir -m 1777 sticky',
].join(' && ')
/** Changes what the other machine has made. */
const CHANGE = [
  'chown 77:88 d d/f block && chmod 1600 d/f && chmod 711 d && mv fifo d/fifo && ln hard d/harder && rm soft',
  'ln -s elsewhere soft && mv d/f "d/with blank" && chmod 644 hole && rmdir sticky && chmod 600 character',
].join(' && ')
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
    const inEach = async (machine: Machine, work: string | undefined) => {
      const guest = await bootOn(machine, ...flags)
      for (const [i, { model, tag }] of shares.entries()) {
        const cd = `cd ${i === 0 ? '/root/host_folder' : `/root/${tag}`}`
        if (seen.has(model)) expect(`${model}:\n${await must(guest, `${cd} && ${LOOK}`)}`).toBe(seen.get(model))
        if (work !== undefined) await must(guest, `${cd} && ${work}`)
        seen.set(model, `${model}:\n${await must(guest, `${cd} && ${LOOK}`)}`)
      }
      await end()
    }
    const second: Machine = first === 'qemu' ? 'longmode' : 'qemu'
    await inEach(first, MAKE)
    await inEach(second, CHANGE)
    await inEach(first, undefined)
    for (const model of MODELS) expect(seen.get(model)).toMatch(/hard 8380 77 88 3 5 0 0 hard\n/)
    // With mapped-xattr the host has files and folders of the one who shares, nothing else.
    const mapped = shares[1].place
    for (const name of fs.readdirSync(mapped)) {
      const stat = fs.lstatSync(`${mapped}/${name}`)
      expect(`${name} ${stat.isFile() || stat.isDirectory()} ${stat.uid}`).toBe(`${name} true ${process.getuid?.()}`)
    }
  },
)
