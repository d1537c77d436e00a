/** The shared folders of machines: what happens in them and how the guest gets at them. */
import * as v from 'valibot'
import type { ShareConfig } from '../../machine/config.ts'
import { event, method } from '../rpc/definition.ts'
import { count, hostPath, machineId, type MachineId } from './common.ts'

const shareIndex = v.pipe(count, v.maxValue(31))

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
  /** The folder was exchanged, and the guest has not mounted the new one yet. */
  readonly exchanged: boolean
  /** What to type in the guest to mount it (`exchanged`: to mount it again), and the line for its /etc/fstab. */
  readonly mountCommand: string
  readonly fstabLine: string
  /** Newest last, a few hundred. */
  readonly activities: readonly ShareActivity[]
}

/** When the guest sees another folder: at its next mount of the tag, or at the machine's next start. */
export type FolderChange = 'next-mount' | 'next-start'

interface OfShare {
  readonly id: MachineId
  readonly index: number
}

export const shares = {
  methods: {
    /** Watches the folders for this window until its end, and gives what is known. */
    watch: method(machineId).returns<readonly Share[]>(),
    /** Opens the folder in the file manager. */
    open: method(machineId, shareIndex).returns<void>(),
    /** Another folder behind the same mount tag, also while the machine runs. What the guest has mounted stays what it was. */
    change: method(machineId, shareIndex, hostPath).returns<FolderChange>(),
  },
  events: {
    activity: event<OfShare & { readonly activity: ShareActivity }>(),
    folder: event<OfShare & { readonly folder: ShareFolderState }>(),
    /** The guest has mounted the folder that it was exchanged for. */
    mounted: event<OfShare>(),
    problem: event<OfShare & { readonly sentence: string }>(),
  },
}
