import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fstabLine, mountCommand, mountPlace } from './mount-command.ts'

describe('how a guest mounts a share', () => {
  it('by hand', () => {
    expect(mountCommand({ mountTag: 'shared_folder', readOnly: false })).toBe(
      'mkdir -p /root/host_folder && mount -t 9p -o trans=virtio,msize=512000 shared_folder /root/host_folder',
    )
    expect(mountCommand({ mountTag: 't', readOnly: true }, '/mnt')).toContain('msize=512000,ro t /mnt')
  })
  it('whatever the tag is', () => {
    const tag = `it's $HOME "#1" \\ *`
    const command = mountCommand({ mountTag: tag, readOnly: false }, '/mnt/a b')
    // The shell itself says what its words are.
    const words = execFileSync('sh', ['-c', `mkdir() { :; }; mount() { printf '%s\\n' "$@"; }; ${command}`], {
      encoding: 'utf8',
    })
    expect(words.split('\n').slice(-3, -1)).toEqual([tag, '/mnt/a b'])
  })
  it('where the default guest has it already', () => {
    const init = readFileSync(new URL('../../resources/default-guest/init', import.meta.url), 'utf8')
    expect(init).toContain(`\nplace=${mountPlace(0, 'any tag')}\n`)
    expect(init).toContain(`place="${mountPlace(1, '$tag')}"`)
  })
  it('from /etc/fstab', () => {
    expect(fstabLine({ mountTag: 'shared_folder', readOnly: false })).toBe(
      'shared_folder /root/host_folder 9p trans=virtio,msize=512000,nofail 0 0',
    )
    expect(fstabLine({ mountTag: '#a b\\', readOnly: true })).toMatch(/^\\043a\\040b\\134 .*,ro 0 0$/)
  })
})
