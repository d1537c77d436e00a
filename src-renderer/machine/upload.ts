import { UPLOAD_PIECE_BYTES } from '../../src-main/contract/services/files.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'

/** Sends a file of the browser to the host in pieces, one on its way at a time. Resolves with its path there. */
export async function upload(api: Longmode, file: File, progress: (part: number) => void): Promise<string> {
  const id = await api.files.beginUpload({ name: file.name, size: file.size })
  try {
    for (let at = 0; at < file.size; at += UPLOAD_PIECE_BYTES) {
      progress(at / file.size)
      const piece = await file.slice(at, at + UPLOAD_PIECE_BYTES).arrayBuffer()
      await api.files.uploadPiece(id, new Uint8Array(piece))
    }
    return await api.files.finishUpload(id)
  } catch (error) {
    await api.files.cancelUpload(id).catch(() => undefined)
    throw error
  }
}
