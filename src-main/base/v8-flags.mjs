/**
 * Flags of V8 for translated guest code, for every Node and Electron that runs a machine. Calls between regions go through a table and are never inlined, but are
 * counted for that in every frame that is not optimised yet. Branch hints keep what is rare out of the way. Both are given at the start: V8 crashes when inlining is
 * switched off after it has compiled any WebAssembly, and what strips types from our sources is such.
 */
export const V8_FLAGS = ['--no-wasm-inlining', '--experimental-wasm-branch-hinting']
