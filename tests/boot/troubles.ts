/** Lines of a boot log that no healthy machine causes. QEMU's log of the same boot says which of them the kernel prints anyway. */
const marks = [
  /WARNING:/,
  /BUG:/,
  /unchecked MSR/,
  /lost interrupt/,
  /nobody cared/,
  /clocksource.*unstable/i,
  /Kernel panic/,
  /Oops:/,
  /general protection fault/,
  /rcu:.*stall/,
  /soft lockup/,
  /default guest: cannot/,
]

/** Without time stamps and numbers that differ from boot to boot. */
function essence(line: string): string {
  return line
    .replace(/^\s*\[\s*\d+\.\d+\]\s*/, '')
    .replaceAll(/0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+/gi, 'N')
    .trim()
}

const troublesIn = (log: string) => log.split(/\r?\n/).filter((line) => marks.some((mark) => mark.test(line)))

/** Trouble lines of `log` that `reference` (QEMU's log of the same boot) does not have. */
export function newTroubles(log: string, reference: string): string[] {
  const known = new Set(troublesIn(reference).map(essence))
  return troublesIn(log).filter((line) => !known.has(essence(line)))
}
