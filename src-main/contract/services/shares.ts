/** The shared folders of machines: what happens in them and how the guest gets at them. */
import * as v from 'valibot'
import type { ShareConfig } from '../../machine/config.ts'
import { event, method } from '../rpc/definition.ts'
import { count, machineId, type MachineId } from './common.ts'

export type ShareFolderState = 'present' | 'gone' | 'exchanged' | 'read-only'

/** One line of "what changed in the shared folder". */
export interface ShareActivity {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly by: 'host' | 'guest'
  readonly kind: 'create' | 'change' | 'remove'
  /** Below the folder, with `/`. */
  readonly path: string
}

export interface Share {
  readonly config: ShareConfig
  /** Position in the machine's list. */
  readonly index: number
  readonly folder: ShareFolderState
  /** Why the host's changes cannot be listed, when they cannot; the guest sees them all the same. */
  readonly problem?: string
  /** What to type in the guest to mount it, and the line for its /etc/fstab. */
  readonly mountCommand: string
  readonly fstabLine: string
  /** Newest last, a few hundred. */
  readonly activities: readonly ShareActivity[]
}

interface OfShare {
  readonly id: MachineId
  readonly index: number
}

export const shares = {
  methods: {
    /** Watches the folders for this window until `unwatch`, and gives what is known. */
    watch: method(machineId).returns<readonly Share[]>(),
    unwatch: method(machineId).returns<void>(),
    /** Opens the folder in the file manager. */
    open: method(machineId, v.pipe(count, v.maxValue(31))).returns<void>(),
  },
  events: {
    activity: event<OfShare & { readonly activity: ShareActivity }>(),
    folder: event<OfShare & { readonly folder: ShareFolderState }>(),
    problem: event<OfShare & { readonly sentence: string }>(),
  },
}
