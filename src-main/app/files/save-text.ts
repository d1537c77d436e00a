/** Files that the program writes for the user, and why one could not be written. */
import { realpath } from 'node:fs/promises'
import { TroubleError } from '../../contract/rpc/messages.ts'
import { writeWhole } from '../machines/store.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room and try again',
  EDQUOT: 'the disk quota of this user is used up; make room and try again',
  ENOENT: 'the folder does not exist; choose another one',
  ENOTDIR: 'the folder does not exist; choose another one',
  EACCES: 'this user may not write there; choose another folder',
  EPERM: 'this user may not write there; choose another folder',
  EROFS: 'that file system is read-only; choose another folder',
  EISDIR: 'that is a folder; choose another name',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
}

/** One clause with the next step; what the host said where the table has nothing. */
export function whyNotWritten(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (Object.hasOwn(reasons, code)) return reasons[code]
  return error instanceof Error ? error.message : String(error)
}

/** Writes all of the text or nothing: a file that was there stays as it was when there is no room for the new one. Throws TroubleError. */
export async function saveText(file: string, text: string): Promise<void> {
  try {
    // Through a link to the file that it names: the link is the user's.
    await writeWhole(await realpath(file).catch(() => file), text, 0o666)
  } catch (error) {
    throw TroubleError.user(`${file} could not be written: ${whyNotWritten(error)}`)
  }
}
