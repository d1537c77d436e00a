/**
 * Runs in the window's page before its scripts, in a sandbox: it may ask for `electron` and nothing else, so it imports no file of ours
 * (the channels' names are channel.ts's; a test compares them). It gives the page contract/bridge.ts and nothing of Electron itself.
 */
type Bridge = import('../../contract/bridge.ts').WindowBridge
type FromHost = import('../../contract/rpc/messages.ts').FromHost

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a sandboxed preload script is CommonJS
const { contextBridge, ipcRenderer, webUtils } = require('electron') as typeof import('electron')

const listeners: ((message: FromHost) => void)[] = []
ipcRenderer.on('longmode-message', (_event, message: FromHost) => {
  for (const listener of listeners) listener(message)
})
ipcRenderer.send('longmode-open')

const bridge: Bridge = {
  send: (message) => ipcRenderer.send('longmode-message', message),
  onMessage: (listener) => void listeners.push(listener),
  pathOfFile: (file) => webUtils.getPathForFile(file as Parameters<typeof webUtils.getPathForFile>[0]),
}
contextBridge.exposeInMainWorld('longmode', bridge)
