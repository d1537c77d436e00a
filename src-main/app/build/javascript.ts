/**
 * TypeScript to JavaScript, file by file: our sources have only types that can be erased, so the result is the same program line by line,
 * in the same folders, and everything that finds a file by its place beside another still does.
 */
import { stripTypeScriptTypes } from 'node:module'

/** A relative address of one of our modules in quotes. */
const RELATIVE = /(['"])(\.{1,2}\/[^'"\n]+)\.(c?)ts\1/g

export function toJavaScript(source: string): string {
  return stripTypeScriptTypes(source).replaceAll(RELATIVE, '$1$2.$3js$1')
}

export const javaScriptName = (name: string) => name.replace(/\.(c?)ts$/, '.$1js')
