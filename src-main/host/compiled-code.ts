/** The engine is a lot of TypeScript: what Node and V8 make of it is kept from one start to the next. */
import { enableCompileCache } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { cacheFolder } from './cache-folder.ts'

/** For what this process and its threads import from now on. A folder that cannot be written to costs time, nothing else. */
export function keepCompiledCode(): void {
  const folder = process.env.NODE_COMPILE_CACHE ?? path.join(cacheFolder(), 'compiled')
  enableCompileCache(folder)
  // threads look here, and only here
  process.env.NODE_COMPILE_CACHE = folder
}
