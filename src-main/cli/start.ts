/** `npm start`: with flags it is the terminal machine, without it is the window. */
import process from 'node:process'
import { keepCompiledCode } from '../host/compiled-code.ts'

keepCompiledCode()
if (process.argv.length > 2) await import('./main.ts')
else {
  const { launch } = await import('../app/launch.ts')
  process.exit(await launch((sentence) => void process.stderr.write(`longmode: ${sentence}\n`)))
}
