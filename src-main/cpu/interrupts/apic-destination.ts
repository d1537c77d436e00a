/** How a local APIC may be addressed. */
export interface ApicAddress {
  readonly id: number
  readonly x2apic: boolean
  /** Bits 31:24 of LDR, and whether DFR selects the flat model. */
  readonly logicalId: number
  readonly flat: boolean
}

/** Is the APIC at `own` meant? Physical by APIC ID or broadcast; logical by flat or cluster model (SDM Vol. 3 §11.6.2). */
export function isDestination(own: ApicAddress, destination: number, logical: boolean): boolean {
  if (own.x2apic && destination === 0xffffffff) return true
  if (!logical) return destination === 0xff || destination === own.id
  if (own.x2apic) {
    const mine = x2apicLogicalId(own.id)
    return destination >>> 16 === mine >>> 16 && (destination & mine & 0xffff) !== 0
  }
  if (own.flat) return (destination & own.logicalId) !== 0
  const cluster = destination >> 4 === own.logicalId >> 4 || destination >> 4 === 0xf
  return cluster && (destination & own.logicalId & 0xf) !== 0
}

/** SDM Vol. 3 §11.12.10.2: cluster in bits 31:16, one bit of the lower half for the APIC within it. */
export function x2apicLogicalId(id: number): number {
  return (((id >>> 4) << 16) | (1 << (id & 0xf))) >>> 0
}
