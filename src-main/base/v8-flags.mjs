/**
 * Flags of V8 for every Node and Electron that runs a machine. Calls between regions go through a table and are never inlined, but are
 * counted for that in every frame that is not optimised yet. Branch hints keep what is rare out of the way. Both are given at the start: V8 crashes when inlining is
 * switched off after it has compiled any WebAssembly, and what strips types from our sources is such. A thread begins with as much room for new objects as it may
 * ever have (MiB, a third of workers/young-generation.ts): while the engine is generated, the collector runs half as often.
 */
export const V8_FLAGS = ['--no-wasm-inlining', '--experimental-wasm-branch-hinting', '--min-semi-space-size=4']

/** Node's own number. */
export const MOST_V8_THREADS = 4

/**
 * Flags of a Node of ours: V8's, and how many threads it compiles and collects garbage on. One core is the vCPU's; Node would start four of them on two cores
 * as well, and the vCPU and the io worker, which hand each other a request every 100 µs, then waited in line behind them: of the 1.0 s in which 256 MiB are written to the share
 * for the first time they waited 0.4.
 */
export const nodeFlags = (cores) => [...V8_FLAGS, `--v8-pool-size=${Math.min(Math.max(cores - 1, 1), MOST_V8_THREADS)}`]
