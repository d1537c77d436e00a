import { V8_FLAGS } from '../../base/v8-flags.mjs'

/** The flags of V8 as Electron takes them, in one word. */
export const ELECTRON_V8_WORD = `--js-flags=${V8_FLAGS.join(',')}`
