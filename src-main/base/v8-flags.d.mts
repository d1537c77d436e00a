export const V8_FLAGS: readonly string[]
/** `cores`: how many there are for this process. */
export const nodeFlags: (cores: number) => readonly string[]
export const MOST_V8_THREADS: number
