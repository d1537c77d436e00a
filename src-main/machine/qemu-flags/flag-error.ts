/** What is wrong with a command line, as one plain sentence. `exitCode` 2: the line itself; 1: what it asks for cannot be had. */
export class FlagError extends Error {
  readonly exitCode: 1 | 2

  constructor(sentence: string, exitCode: 1 | 2 = 2) {
    super(sentence)
    this.name = 'FlagError'
    this.exitCode = exitCode
  }
}

/** A flag or value of the contract that this version does not have. */
export function notBuilt(what: string, instead: string): FlagError {
  return new FlagError(`${what} is not built yet; ${instead}`)
}
