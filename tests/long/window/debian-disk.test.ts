/** A newcomer's Debian disk, with nothing exchanged: made in the Disks panel, and the built-in machine boots it to its login. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { defaultMachine, MIB } from '../../../src-main/machine/config.ts'
import { eventually } from '../../fixtures/echo-library.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { trueWindow } from './true-window.ts'

const PATIENCE = 3_000_000
const scratch = scratchFolder('debian-window')
const image = path.join(scratch, 'debian.raw')
const here = trueWindow(scratch)

it('is made by a dialog, and started by a click', { timeout: PATIENCE }, async () => {
  const { library } = here.app.application
  const machine = await library.add({ ...defaultMachine, name: 'debian', append: 'console=ttyS0', memory: 1024 * MIB })
  const { page, errors } = await here.app.open()
  page.setDefaultTimeout(PATIENCE)
  await page.getByRole('tab', { name: 'Disks', exact: true }).click()
  await page.getByRole('button', { name: 'New image…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox', { name: 'Holds' }).selectOption('debian')
  await dialog.getByRole('textbox', { name: 'File' }).fill(image)
  await dialog.getByRole('spinbutton', { name: 'Size in GiB' }).fill('1.5')
  await dialog.getByRole('button', { name: 'Create and attach' }).click()
  // What happens is shown while it happens.
  await dialog
    .getByText(/Unpacking|Setting up|installing|downloading|chosen/i)
    .first()
    .waitFor()
  expect(existsSync(image)).toBe(false)
  await dialog.waitFor({ state: 'detached' })
  expect(statSync(image).size).toBe(1536 * MIB)
  await page.getByRole('region', { name: '/dev/sda' }).getByText('ext4 · debian').waitFor()
  expect(library.get(machine.id).config).toMatchObject({ disks: [{ file: image }] })
  expect(library.get(machine.id).config.append).toMatch(/root=\/dev\/sda rw/)

  await page
    .getByRole('button', { name: /^Start/ })
    .first()
    .click()
  const said = () => new TextDecoder().decode(library.console(machine.id).kept().bytes)
  await eventually(() => said().includes('tutorial login: '))
  await page.getByRole('tab', { name: 'Console', exact: true }).click()
  await page.locator('.xterm-helper-textarea').first().focus()
  await page.keyboard.type('root\n')
  await eventually(() => /root@tutorial:~# /.test(said()))
  await page.keyboard.type('gcc --version | head -1; echo $((6 * 7)) answers\n')
  await eventually(() => /^42 answers/m.test(said()))
  expect(said()).toMatch(/^gcc \(Debian/m)
  expect(errors).toEqual([])
})
