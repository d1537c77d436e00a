/** The part of the WebAssembly JavaScript interface that the engine uses (the DOM library, which declares it too, is not loaded). */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number | bigint
    maximum?: number | bigint
    shared?: boolean
    address?: 'i32' | 'i64'
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: SharedArrayBuffer
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    readonly [Symbol.toStringTag]: string
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number })
    set(index: number, value: unknown): void
    get(index: number): unknown
    /** The length before. */
    grow(by: number): number
    readonly length: number
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Readonly<Record<string, unknown>>>)
    readonly exports: Record<string, unknown>
  }
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
}
