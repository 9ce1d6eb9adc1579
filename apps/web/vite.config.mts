import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const root = import.meta.dirname
const libs = resolve(root, '../../libs')

export default defineConfig({
  root,
  resolve: { alias: [{ find: /^#(kernel|contracts)$/, replacement: `${libs}/$1/src/index.ts` }] },
  css: { preprocessorOptions: { scss: { loadPaths: [resolve(root, '../../node_modules')], quietDeps: true } } },
  build: {
    outDir: resolve(root, '../../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // The portal's content security policy knows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_200,
    // Pure libraries do nothing by being imported: what a page doesn't use of them stays out of it.
    rollupOptions: { treeshake: { moduleSideEffects: (id) => !id.startsWith(libs) } },
  },
  // A developer's server: `npx vite apps/web` beside `npm start`.
  server: { proxy: { '^/(v1|enter|pay|plain|verify|tiles|docs|schemas)': 'http://127.0.0.1:3000' } },
})
