import { execFileSync } from 'node:child_process'

/** The libraries of a dynamic program at their own paths. */
export function librariesOf(program: string): string[] {
  const list = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...list.matchAll(/(?:=> )?(\/\S+) \(/g)].map((match) => match[1])
}
