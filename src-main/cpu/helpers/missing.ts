import { VECTOR } from '../mmu/access.ts'
import { GuestFault, type Helper } from './helper.ts'

/** An opcode row that nobody has written yet: #UD, told once, counted by name. */
export const missing =
  (name: string): Helper =>
  (cpu) => {
    cpu.host.warn(`instruction ${name} is not implemented`)
    cpu.undefinedOpcodes.set(name, (cpu.undefinedOpcodes.get(name) ?? 0) + 1)
    throw new GuestFault(VECTOR.UD)
  }
