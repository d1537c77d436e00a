import { execFileSync } from 'node:child_process'
import { describe, expect, it, vi } from 'vitest'
import { run } from './process.ts'

/** Processes whose command line holds the mark. */
function alive(mark: string): string[] {
  const list = execFileSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8' })
  return list.split('\n').filter((line) => line.includes(mark) && !/^\s*\d+\s+Z/.test(line))
}

describe('a program', () => {
  it('gives its lines, its output and its exit code', async () => {
    const lines: string[] = []
    const script = 'echo one; printf two; echo three >&2; exit 3'
    const result = await run('sh', ['-c', script], { onLine: (line, stream) => lines.push(`${stream} ${line}`) })
    expect(result).toEqual({ code: 3, out: 'one\ntwo', err: 'three\n', cancelled: false })
    expect(lines.sort()).toEqual(['err three', 'out one', 'out two'])
  })

  it('speaks English, also when it drops LC_ALL as the kernel does', async () => {
    vi.stubEnv('LANG', 'pt_BR.UTF-8').stubEnv('LC_MESSAGES', 'pt_BR.UTF-8').stubEnv('LANGUAGE', 'pt_BR:en')
    const { out } = await run('sh', ['-c', 'unset LC_ALL; echo "$LANG,$LC_MESSAGES,$LC_CTYPE,$LANGUAGE"'])
    vi.unstubAllEnvs()
    expect(out).toBe('C,,,\n')
  })

  it('that is not there is named', async () => {
    await expect(run('no-such-program', [])).rejects.toThrow('the program no-such-program is not installed')
  })

  it('leaves nothing behind when it is cancelled, not even children that ignore SIGTERM', async () => {
    const mark = `86${process.pid}.5`
    const stubborn = `trap "" TERM; sleep ${mark} & sleep ${mark} & wait; wait`
    const controller = new AbortController()
    const running = run('sh', ['-c', `sh -c '${stubborn}' & echo up; wait`], {
      signal: controller.signal,
      onLine: () => controller.abort(),
    })
    expect((await running).cancelled).toBe(true)
    expect(alive(mark)).toEqual([])
  })

  it('does not start when it was cancelled before', async () => {
    expect(await run('false', [], { signal: AbortSignal.abort() })).toMatchObject({ cancelled: true })
  })
})
