import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { AllServices } from '../../contract/services/index.ts'

const notBuilt = (what: string) => () => {
  throw TroubleError.user(`${what} is not built into the window yet`)
}

export function imageHandlers(): ServiceHandlers<AllServices['images'], Peer<AllServices>> {
  return {
    info: notBuilt('looking into disk images'),
    create: notBuilt('creating disk images'),
    convert: notBuilt('converting disk images'),
    cancel: () => undefined,
    protect: notBuilt('protecting disk images'),
    commit: notBuilt('writing overlays back'),
    discard: notBuilt('discarding overlays'),
    check: notBuilt('checking disk images'),
  }
}
