/** The rows of the shared folder: what a user of it waits for, so wall time counts here. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Workload } from './workloads.ts'

/** Files that are there before the guest starts: 200 folders of 100 for `find`. */
const FOLDERS = 200
const FILES = 100

export function prepareShare(share: string): void {
  for (let i = 0; i < FOLDERS; i++) {
    const folder = path.join(share, 'tree', `folder${i}`)
    mkdirSync(folder, { recursive: true })
    for (let j = 0; j < FILES; j++) writeFileSync(path.join(folder, `file${j}`), '')
  }
  mkdirSync(path.join(share, 'small'))
}

const on = '/root/host_folder'
const row = (name: string, command: string, undo?: string): Workload => ({
  name: `9p ${name}`,
  group: 'io',
  command,
  ...(undo === undefined ? {} : { undo }),
})
const small = (verb: string) => `/bench/share ${verb} ${on}/small 2000`

export const shareRows: readonly Workload[] = [
  row('write, 256 MiB', `/bench/share write ${on}/big 256`),
  row('read, 256 MiB', `/bench/share read ${on}/big 256`),
  row('random 4 KiB reads, 5,000', `/bench/share random-read ${on}/big 5000`),
  row('create, 2,000 files', small('create'), small('unlink')),
  row('stat, 2,000 files', small('stat')),
  row('unlink, 2,000 files', small('unlink'), small('create')),
  row('find, 20,000 files', `test $(find ${on}/tree -type f | wc -l) = ${FOLDERS * FILES}`),
]
