/** Names that the main process and the preload script share. */

/** A window's page begins (again): whatever was connected before is over. */
export const OPEN_CHANNEL = 'longmode-open'
/** Messages of the contract, in both directions. */
export const MESSAGE_CHANNEL = 'longmode-message'
/** Where the window's page is. */
export const PAGE_SCHEME = 'app'
export const PAGE_HOST = 'longmode'
export const PAGE_URL = `${PAGE_SCHEME}://${PAGE_HOST}/index.html`
