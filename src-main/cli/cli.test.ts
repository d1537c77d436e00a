import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-cli-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs a program to its end; `type` gets what was printed so far and may answer with input, once per call. */
function run(command: string, args: readonly string[], type: (seen: string) => string | undefined = () => undefined) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(command, args, { cwd: root })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const answer = type(out)
      if (answer !== undefined) child.stdin.write(answer)
    })
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

const cli = (...flags: string[]) => run(process.execPath, [path.join(root, 'src-main/cli/main.ts'), ...flags])
const echoMachine = path.join(root, 'tests/fixtures/echo-machine.ts')

/** Answers of a script: each time `when` shows up in the new output, `say` is typed. */
function script(...steps: readonly (readonly [when: string, say: string])[]) {
  const left = [...steps]
  let from = 0
  return (seen: string) => {
    const at = left.length > 0 ? seen.indexOf(left[0][0], from) : -1
    if (at < 0) return undefined
    from = at + left[0][0].length
    return left.shift()![1]
  }
}

/** Shell words that wait until a test comes true, or the process $pid is gone. */
const until = (test: string): string => `while kill -0 $pid && ! ${test}; do sleep 0.1; done`

describe('longmode', () => {
  it('-version and -help', async () => {
    expect(await cli('-version')).toMatchObject({ code: 0, out: expect.stringMatching(/^Longmode \d/) as string })
    expect(await cli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('-kernel FILE') as string })
  })
  it('a wrong flag is one sentence and exit 2', async () => {
    expect(await cli('-frob')).toEqual({
      code: 2,
      out: '',
      err: 'longmode: -frob: there is no such flag; -help lists them all\n',
    })
  })
  it('what cannot be had is one sentence and exit 1', async () => {
    const text = path.join(scratch, 'notes.txt')
    writeFileSync(text, 'not a kernel\n')
    const tests: readonly (readonly [string[], string])[] = [
      [['-kernel', path.join(scratch, 'gone')], `-kernel ${path.join(scratch, 'gone')}: does not exist`],
      [['-kernel', scratch], 'is a folder, not a file'],
      [['-kernel', text], `-kernel ${text}: this is `],
      [['-drive', `file=${text},format=raw`], 'give -kernel FILE'],
      [['-m', '2'], '-m: 2 MiB is too little memory'],
    ]
    for (const [flags, sentence] of tests) {
      const { code, out, err } = await cli(...flags)
      expect([code, out, err.split('\n').length]).toEqual([1, '', 2])
      expect(err).toContain(sentence)
    }
  })
  it('a kernel passes, and then what is wrong beside it is named', async () => {
    const kernel = path.join(scratch, 'bzImage')
    const image = new Uint8Array(0x11000)
    // Boot protocol, "The real-mode kernel header": boot flag, magic, version 2.15, LOADED_HIGH.
    image.set([0x55, 0xaa], 0x1fe)
    image.set([0x48, 0x64, 0x72, 0x53, 0x0f, 0x02], 0x202)
    image[0x211] = 1
    writeFileSync(kernel, image)
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as net.AddressInfo
    const share = `local,path=${kernel},mount_tag=t,security_model=none`
    expect((await cli('-kernel', kernel, '-gdb', `tcp::${String(port)}`)).err).toContain(
      `port ${String(port)} of 127.0.0.1 is in use`,
    )
    expect((await cli('-kernel', kernel, '-virtfs', share)).err).toContain('is a file, not a folder')
    expect((await cli('-kernel', kernel, '-hda', kernel + 'x')).err).toContain('does not exist')
    server.close()
  })
})

describe('the terminal machine on a pipe', () => {
  it('types a script, takes the exit code, and outlives the end of its input', async () => {
    const printed = path.join(scratch, 'printed')
    const { code } = await run('sh', [
      '-c',
      `printf 'hello\\n' | ${process.execPath} ${echoMachine} -serial stdio > ${printed} & pid=$!; ${until(`grep -qs HELLO ${printed}`)}; kill $pid`,
    ])
    expect(readFileSync(printed, 'utf8')).toBe('ready\nHELLO\n')
    expect(code, 'it was still there to be killed').toBe(0)
    const second = await run(process.execPath, [echoMachine], script(['ready', '!exit 3\n']))
    expect(second.code).toBe(7)
  })
  it('writes the serial port to a file', async () => {
    const log = path.join(scratch, 'serial.log')
    const { code } = await run('sh', [
      '-c',
      `${process.execPath} ${echoMachine} -nographic -serial file:${log} -monitor none -S & pid=$!; ${until(`grep -qs ready ${log}`)}; kill $pid; wait $pid`,
    ])
    expect(readFileSync(log, 'utf8')).toBe('ready\n')
    expect(code).not.toBe(1)
  })
  it('a reader that goes away does not stop the machine', async () => {
    const { out } = await run('sh', [
      '-c',
      `(sleep 0.5; printf '!burst 300000\\n!exit 4\\n'; sleep 2) | (${process.execPath} ${echoMachine}; echo $? >&2) 2>&1 >/dev/full`,
    ])
    expect(out).toContain('no space left on device, write; the machine goes on without it')
    expect(out.trim().endsWith('9')).toBe(true)
  })
})

describe('the terminal machine on a terminal', () => {
  /** `script` (util-linux) gives the command a terminal of its own; its settings are printed before and after. */
  const onTerminal = (flags: string, type: (seen: string) => string | undefined) =>
    run(
      'script',
      ['-qec', `stty -g; ${process.execPath} ${echoMachine} ${flags}; code=$?; echo; stty -g; exit $code`, '/dev/null'],
      type,
    )
  const settings = (out: string) => {
    const lines = out.split(/\r?\n/).filter((line) => /^[0-9a-f]+(:[0-9a-f]+){10,}$/.test(line))
    expect(lines).toHaveLength(2)
    return lines
  }
  it('is raw, passes Ctrl-C on, quits by Ctrl-a x and restores the terminal', async () => {
    const steps = script(
      ['ready', 'a\u0003\u0001\u0001b'],
      ['A\u0003\u0001B', '\u0001h'],
      ['send a break', 'c\u0001bd'],
      ['C<break>D', '\u0001x'],
    )
    const { code, out } = await onTerminal('-nographic', steps)
    expect(code).toBe(0)
    const [before, after] = settings(out)
    expect(after).toBe(before)
  })
  it('has a monitor behind Ctrl-a c', async () => {
    const steps = script(
      ['ready', '\u0001c'],
      ['(longmode) ', 'info registers\r'],
      ['<info registers>', 'nonsense\r'],
      ["unknown command: 'nonsense'", 'help\r'],
      ['system_reset', '\u0001cxyz'],
      ['XYZ', '\u0001cquit\r'],
    )
    const { code, out } = await onTerminal('-nographic', steps)
    expect(code).toBe(0)
    expect(settings(out)[1]).toBe(settings(out)[0])
  })
  it('quits on Ctrl-C where there is no monitor', async () => {
    const { code } = await onTerminal('-serial stdio', script(['ready', '\u0003']))
    expect(code).toBe(0)
  })
  it.each(['!throw', '!die'])('is restored after %s', async (command) => {
    const { code, out } = await onTerminal('-nographic', script(['ready', `${command}\r`]))
    expect(code).toBe(1)
    expect(settings(out)[1]).toBe(settings(out)[0])
  })
  it.each(['TERM', 'HUP', 'INT'])('is restored after SIG%s', async (signal) => {
    const ready = path.join(scratch, `ready-${signal}`)
    const { out } = await run(
      'script',
      [
        '-qec',
        `stty -g; ${process.execPath} ${echoMachine} -nographic </dev/tty & pid=$!; ${until(`[ -e ${ready} ]`)}; kill -${signal} $pid; wait $pid; echo; stty -g`,
        '/dev/null',
      ],
      (seen) => {
        if (seen.includes('ready')) writeFileSync(ready, '')
        return undefined
      },
    )
    expect(out).toContain('ready')
    expect(settings(out)[1]).toBe(settings(out)[0])
  })
})
