/** Where a room reports what a user or developer may want to read: never the guest's console. */
export interface Log {
  /** Something odd that the guest or host did; reported once per distinct text by the receiver. */
  warn(room: string, text: string): void
  info(room: string, text: string): void
}

export const silentLog: Log = { warn: () => undefined, info: () => undefined }
