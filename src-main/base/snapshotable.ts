/** One value of a snapshot: named fields only, never positions. */
export type SnapshotValue =
  string | number | boolean | bigint | null | Uint8Array | SnapshotValue[] | { [name: string]: SnapshotValue }

/** Named fields of one part of the machine. */
export type SnapshotFields = { [name: string]: SnapshotValue }

/** A part of the machine whose state goes into a snapshot. */
export interface Snapshotable {
  /** State as named fields; it must be complete: restore(save()) on a fresh object gives the same behaviour. */
  save(): SnapshotFields
  restore(fields: SnapshotFields): void
}
