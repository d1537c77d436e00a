import type { Session } from './session.ts'

/** Answers one message: reads the body, writes the reply's body; a negative errno when it fails. */
export type Handler = (session: Session) => number | Promise<number>

/** By T-message type. What is not here is answered with ENOTSUP, by name in the log. */
export const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([])
