/** An image that brings its own boot loader, dropped on the window: its menu's kernel is found, copied out and started, on the true engine. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { defaultGuest } from '../../../src-main/host/default-guest/default-guest.ts'
import { dropFiles } from '../../e2e/browser.ts'
import { eventually } from '../../fixtures/echo-library.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { trueWindow } from './true-window.ts'

const scratch = scratchFolder('own-kernel')
const image = path.join(scratch, 'installed.img')

const here = trueWindow(scratch, async () => {
  const guest = await defaultGuest(() => undefined)
  const boot = path.join(scratch, 'tree/boot')
  mkdirSync(path.join(boot, 'grub'), { recursive: true })
  copyFileSync(guest.kernel, path.join(boot, 'vmlinuz-6.1'))
  copyFileSync(guest.initrd, path.join(boot, 'initrd.img-6.1'))
  writeFileSync(
    path.join(boot, 'grub/grub.cfg'),
    `set default="0"
menuentry 'Installed Linux' {
	linux /boot/vmlinuz-6.1 console=ttyS0 from=grub
	initrd /boot/initrd.img-6.1
}
`,
  )
  writeFileSync(image, '')
  truncateSync(image, 64 << 20)
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', path.join(scratch, 'tree'), image])
})

it('is started with the kernel of its own menu', async () => {
  const { library } = here.app.application
  const { page, errors } = await here.app.open()
  await page.getByRole('button', { name: 'Boot the built-in Linux' }).waitFor()
  await dropFiles(page, [image])
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Installed Linux').first().waitFor({ state: 'attached', timeout: 120_000 })
  await dialog.getByRole('button', { name: 'Create and start' }).click()
  const [machine] = await eventually(() => library.list().length > 0 && library.list())
  const said = () => new TextDecoder().decode(library.console(machine.id).kept().bytes)
  await eventually(() => /longmode:\S*# /.test(said()))
  const { kernel, append } = machine.config
  expect(append).toContain('from=grub')
  expect(readFileSync(kernel ?? '')).toEqual(readFileSync(path.join(scratch, 'tree/boot/vmlinuz-6.1')))
  expect(said()).toContain('from=grub')
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type('mount /dev/sda /mnt && ls /mnt/boot\n')
  await eventually(() => said().includes('initrd.img-6.1'))
  expect(errors).toEqual([])
})
