/**
 * Between a machine's owner and its io worker, on a port of their own that the owner makes and the vCPU worker passes on: the vCPU thread
 * never looks at its event loop, so nothing can go through it. The port closes when the io worker is gone, however it died.
 */
import type { ShareActivity, ShareFolderState } from './services/shares.ts'

/** io worker -> owner. `share` is the position in the machine's list. */
export type FromIoWorker =
  /** What changed since the last one, oldest first; `dropped` more were too many to list. Only while watched. */
  | {
      readonly type: 'activities'
      readonly share: number
      readonly activities: readonly ShareActivity[]
      readonly dropped: number
    }
  | { readonly type: 'folder'; readonly share: number; readonly folder: ShareFolderState }
  /** The guest has mounted a share again and sees the folder that it was exchanged for. */
  | { readonly type: 'mounted'; readonly share: number }
  /** Why the host's changes cannot be listed. */
  | { readonly type: 'problem'; readonly share: number; readonly sentence: string }
  /** Something the user should read, one line. */
  | { readonly type: 'note'; readonly text: string }
  /** The last message when the worker dies of a fault of ours. */
  | { readonly type: 'failed'; readonly sentence: string; readonly details: string }
  /** Answer to `exchange`: without a sentence the guest's next mount gets the folder. */
  | { readonly type: 'exchanged'; readonly id: number; readonly sentence?: string }
  /** The last message of an end as it should be. */
  | { readonly type: 'closed' }

/** Owner -> io worker. */
export type ToIoWorker =
  | { readonly type: 'watch'; readonly on: boolean }
  /** Another folder behind a mount tag. */
  | {
      readonly type: 'exchange'
      readonly id: number
      readonly share: number
      readonly path: string
      readonly readOnly: boolean
    }
