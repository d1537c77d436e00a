/** The description of a machine, for the window: it may import the contract alone. */
export * from '../machine/config.ts'
