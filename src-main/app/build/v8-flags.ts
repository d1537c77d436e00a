/**
 * The flags of V8 that cli/setup.mjs explains, for what starts without it: a package's command line, and Electron, which takes them as one
 * word. A test compares the places.
 */
export const V8_FLAGS: readonly string[] = ['--no-wasm-inlining', '--experimental-wasm-branch-hinting']

export const ELECTRON_V8_WORD = `--js-flags=${V8_FLAGS.join(',')}`
