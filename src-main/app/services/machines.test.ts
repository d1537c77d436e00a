import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { echoLibrary } from '../../../tests/fixtures/echo-library.ts'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { defaultMachine } from '../../machine/config.ts'
import { machineHandlers } from './machines.ts'

const scratch = scratchFolder('machine-service')
const window = { emit: () => undefined, onEnd: () => undefined } as unknown as Peer<AllServices>

it('a machine that was ended can be started at once, as the kernel panel does', async () => {
  const { library } = echoLibrary(path.join(scratch, 'a'))
  onTestFinished(() => library.close())
  await library.load()
  const handlers = machineHandlers(library)
  const { id } = await handlers.create(window, defaultMachine)
  for (let n = 0; n < 3; n++) {
    await handlers.start(window, id)
    await handlers.kill(window, id)
    expect(library.get(id).status.state).toBe('off')
  }
})
