/** A million mutated messages for the folder by descriptors and a million for the one by paths; the tests themselves are those of tests/share. */
import process from 'node:process'

process.env.LONGMODE_FUZZ ??= '1000000'
await import('../../share/fuzz.test.ts')
await import('../../share/portable.test.ts')
