/** The window: `src-renderer` to `dist/renderer`. Relative addresses, because it is served by `serve` and by Electron's app protocol. */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

export default defineConfig({
  root: 'src-renderer',
  base: './',
  plugins: [svelte({ configFile: false })],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    // Electron 45 and Debian's chromium are both at this milestone; nothing older has to be served.
    target: 'chrome140',
    // Fonts and icons stay files: the content security policy has no data: but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
