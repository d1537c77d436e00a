/** Schemas that several services use. */
import * as v from 'valibot'

/** A machine of the library. */
export type MachineId = string
export const machineId = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'an identifier of a machine'))

/** A path of the host, absolute. */
export const hostPath = v.pipe(
  v.string(),
  v.nonEmpty('a path is missing'),
  v.maxLength(4096),
  v.check((value) => !value.includes('\0'), 'a path with a zero byte'),
)
export const line = v.pipe(v.string(), v.maxLength(4096))
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** An address of the guest or a register's value: 64 bits. */
export const word64 = v.pipe(v.bigint(), v.minValue(0n), v.maxValue((1n << 64n) - 1n))
export const bytes = v.instance(Uint8Array<ArrayBufferLike>)

/** Identifies a piece of work that goes on after the call: its progress comes as events, `cancel` ends it. */
export type JobId = number
export const jobId = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

export interface Progress {
  /** A short line for people: what is being done. */
  readonly text: string
  /** 0..1 where it is known. */
  readonly part?: number
}
