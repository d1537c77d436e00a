/** Everything that a window can ask of the process side. */
import type { Carrier } from '../rpc/proxy.ts'
import { connectServices } from '../rpc/proxy.ts'
import { application } from './application.ts'
import { debug } from './debug.ts'
import { files } from './files.ts'
import { images } from './images.ts'
import { kernel } from './kernel.ts'
import { machines } from './machines.ts'
import { shares } from './shares.ts'

export const allServices = { application, debug, files, images, kernel, machines, shares }
export type AllServices = typeof allServices

/** The window's way in. */
export const connectLongmode = (carrier: Carrier) => connectServices(allServices, carrier)
export type Longmode = ReturnType<typeof connectLongmode>
