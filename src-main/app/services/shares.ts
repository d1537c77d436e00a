import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { MachineLibrary } from '../machines/library.ts'
import type { ShareWatch } from '../machines/share-watch.ts'
import type { Shell } from '../shell.ts'

export function shareHandlers(
  library: MachineLibrary,
  watch: ShareWatch,
  shell: Shell,
): ServiceHandlers<AllServices['shares'], Peer<AllServices>> {
  return {
    watch: (window, id) => watch.watch(window, id),
    open: async (_window, id, index) => {
      const share = library.get(id).config.shares[index]
      if (share === undefined) throw TroubleError.user('this machine has no such share any more')
      await shell.reveal(share.path)
    },
    change: (_window, id, index, folder) => library.changeFolder(id, index, folder),
  }
}
