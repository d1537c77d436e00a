/** What goes through a carrier (Electron IPC, WebSocket), in either direction. */

/** Why a call did not do what was asked, for people. */
export interface Trouble {
  /** `user`: something of the user's cannot be used or done; `bug`: a fault of Longmode; `lost`: the connection ended first. */
  readonly cause: 'user' | 'bug' | 'lost'
  /** One plain sentence with the next step. */
  readonly sentence: string
  /** What "Copy details" copies. */
  readonly details?: string
}

export type ToHost = {
  readonly type: 'call'
  readonly id: number
  readonly service: string
  readonly method: string
  readonly args: readonly unknown[]
}

export type FromHost =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly trouble: Trouble }
  | { readonly type: 'event'; readonly service: string; readonly event: string; readonly value: unknown }

/** A Trouble on its way. Services throw it with `user` for what the user can mend. */
export class TroubleError extends Error {
  readonly trouble: Trouble

  constructor(trouble: Trouble) {
    super(trouble.sentence)
    this.name = 'TroubleError'
    this.trouble = trouble
  }

  static user(sentence: string, details?: string): TroubleError {
    return new TroubleError({ cause: 'user', sentence, ...(details === undefined ? {} : { details }) })
  }
}

/** Any error as a Trouble: what nobody foresaw is a fault of ours and says so. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof TroubleError) return error.trouble
  const text = error instanceof Error ? error.message : String(error)
  const details = error instanceof Error ? (error.stack ?? text) : text
  return { cause: 'bug', sentence: `this did not work because of a fault of Longmode: ${text}`, details }
}
