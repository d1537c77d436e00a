/** Console output as plain lines: for thumbnails, saved logs and screen readers. */

/** ECMA-48: CSI sequences, OSC and other strings up to their terminator, two- and three-byte escapes. */
// eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][\s\S]*?(?:\x07|\x1b\\|$)|[ -/]+[0-~]|[0-~])/g
// eslint-disable-next-line no-control-regex -- these are the control characters to drop
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g

/** What a line looks like after its carriage returns and backspaces. */
function settle(line: string): string {
  const cells: string[] = []
  let at = 0
  for (const char of line) {
    if (char === '\r') at = 0
    else if (char === '\b') at = Math.max(0, at - 1)
    else cells[at++] = char
  }
  return Array.from(cells, (cell) => cell ?? ' ').join('')
}

export function plainText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).replace(ESCAPES, '')
  return text
    .split('\n')
    .map((line) => (/[\r\b]/.test(line) ? settle(line.replace(/\r+$/, '')) : line).replace(CONTROLS, ''))
    .join('\n')
}

/** The last `count` lines that are not empty, each `width` characters at most. */
export function lastLines(bytes: Uint8Array, count: number, width: number): string[] {
  const lines = plainText(bytes)
    .split('\n')
    .map((line) => line.trimEnd().slice(0, width))
  return lines.filter((line) => line !== '').slice(-count)
}
