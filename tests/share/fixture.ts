import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../src-main/base/log.ts'
import { openFolder } from '../../src-main/host/folder.ts'
import type { HostFolder } from '../../src-main/ninep/host-folder.ts'
import { NineServer } from '../../src-main/ninep/server.ts'
import type { NineServerOptions } from '../../src-main/ninep/server.ts'
import { NineClient } from './nine-client.ts'

/** A server over a fresh folder `share`, beside which lies `outside`, where nothing may ever change. */
export interface Fixture {
  readonly client: NineClient
  readonly server: NineServer
  readonly folder: HostFolder
  /** Fid of the attached root, as guest root. */
  readonly root: number
  readonly path: string
  readonly outside: string
  readonly warnings: string[]
  /** Host path of a name in the share. */
  at(name: string): string
  dispose(): void
}

export interface FixtureOptions extends NineServerOptions {
  /** Wraps the host's folder, for failures that are made on purpose. */
  wrap?: (folder: HostFolder) => HostFolder
  /** Another kind of folder than this system's own. */
  openWith?: (path: string) => HostFolder
  /** Where to make it: default the system's folder for temporary files. */
  under?: string
}

export async function makeShare(options: FixtureOptions = {}): Promise<Fixture> {
  const base = mkdtempSync(join(options.under ?? tmpdir(), 'share-'))
  const path = join(base, 'share')
  const outside = join(base, 'outside')
  mkdirSync(path)
  mkdirSync(outside)
  const warnings: string[] = []
  const log: Log = { warn: (_room, text) => void warnings.push(text), info: () => undefined }
  const folder = options.openWith?.(path) ?? openFolder(path, log)
  const server = new NineServer(options.wrap?.(folder) ?? folder, { log, ...options })
  const client = new NineClient(server)
  await client.version()
  const root = await client.attach(0)
  return {
    client,
    server,
    folder,
    root,
    path,
    outside,
    warnings,
    at: (name) => join(path, name),
    dispose: () => {
      server.close()
      rmSync(base, { recursive: true, force: true })
    },
  }
}

/** How many descriptors this process has open. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}
