/** The core module as TypeScript calls it: the interpreter's loop, accesses and what goes with them. Addresses are bigint with a memory64. */
export interface CoreExports {
  run(slice: number): number
  translate(linear: bigint, access: number): bigint
  slow(linear: bigint, access: number, size: number): number | bigint
  hostRead(linear: bigint, size: number): number | bigint
  hostWrite(linear: bigint, size: number): number | bigint
  linear(segment: number, offset: bigint, how: number): bigint
  commit(): void
  dropCode(host: number | bigint, length: number | bigint): void
  selectTlb(): void
  forgetLocal(): void
  dropWriteTags(host: number | bigint): void
  flags(op: number, res: bigint, b: bigint): number
  interrupt(vector: number): number
  readonly table: WebAssembly.Table
}
