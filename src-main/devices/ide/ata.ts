/** Names from ATA/ATAPI-8 ACS and the PIIX3 datasheet. */

/** Status register. */
export const Status = {
  busy: 0x80,
  ready: 0x40,
  fault: 0x20,
  seekComplete: 0x10,
  dataRequest: 0x08,
  error: 0x01,
} as const

/** Error register. */
export const ErrorBit = { uncorrectable: 0x40, notFound: 0x10, abort: 0x04 } as const

/** Device register. */
export const DeviceBit = { lba: 0x40, select: 0x10 } as const

/** Device control register. */
export const Control = { highOrder: 0x80, softReset: 0x04, interruptDisable: 0x02 } as const

export const Command = {
  nop: 0x00,
  deviceReset: 0x08,
  recalibrate: 0x10,
  readSectors: 0x20,
  readSectorsNoRetry: 0x21,
  readSectorsExt: 0x24,
  readDmaExt: 0x25,
  readNativeMaxExt: 0x27,
  readMultipleExt: 0x29,
  writeSectors: 0x30,
  writeSectorsNoRetry: 0x31,
  writeSectorsExt: 0x34,
  writeDmaExt: 0x35,
  writeMultipleExt: 0x39,
  readVerify: 0x40,
  readVerifyNoRetry: 0x41,
  readVerifyExt: 0x42,
  seek: 0x70,
  diagnostic: 0x90,
  initializeParameters: 0x91,
  standbyImmediateOld: 0x94,
  idleImmediateOld: 0x95,
  standbyOld: 0x96,
  idleOld: 0x97,
  checkPowerOld: 0x98,
  sleepOld: 0x99,
  packet: 0xa0,
  identifyPacket: 0xa1,
  readMultiple: 0xc4,
  writeMultiple: 0xc5,
  setMultiple: 0xc6,
  readDma: 0xc8,
  readDmaNoRetry: 0xc9,
  writeDma: 0xca,
  writeDmaNoRetry: 0xcb,
  standbyImmediate: 0xe0,
  idleImmediate: 0xe1,
  standby: 0xe2,
  idle: 0xe3,
  checkPower: 0xe5,
  sleep: 0xe6,
  flushCache: 0xe7,
  flushCacheExt: 0xea,
  identify: 0xec,
  setFeatures: 0xef,
  readNativeMax: 0xf8,
} as const

export const SECTOR = 512
