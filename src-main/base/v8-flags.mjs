/**
 * Flags of V8 for every Node and Electron that runs a machine. Calls between regions go through a table and are never inlined, but are
 * counted for that in every frame that is not optimised yet. Branch hints keep what is rare out of the way. Both are given at the start: V8 crashes when inlining is
 * switched off after it has compiled any WebAssembly, and what strips types from our sources is such. A thread begins with as much room for new objects as it may
 * ever have (MiB, a third of workers/young-generation.ts): while the engine is generated, the collector runs half as often.
 */
export const V8_FLAGS = ['--no-wasm-inlining', '--experimental-wasm-branch-hinting', '--min-semi-space-size=4']
