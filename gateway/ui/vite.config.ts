import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * Puts `src/boot.ts` into the head as a classic, render-blocking script: the theme must stand before the first paint,
 * and the content security policy forbids doing it inline.
 */
function bootScript(): Plugin {
  return {
    name: 'boot-script',
    buildStart() {
      if (this.environment.mode === 'build') {
        this.emitFile({ type: 'chunk', id: 'src/boot.ts', name: 'boot' });
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const chunk = Object.values(context.bundle ?? {}).find((file) => file.type === 'chunk' && file.name === 'boot');
        const attrs = chunk ? { src: `/${chunk.fileName}` } : { src: '/src/boot.ts', type: 'module' };
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
      },
    },
  };
}

const gateway = process.env['PULSE_ETL_URL'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [svelte(), bootScript()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // The host stays as the browser knows it: the gateway changes nothing for pages of another origin.
    proxy: {
      '/api': { target: gateway },
      '/auth': { target: gateway },
      '/healthz': { target: gateway },
      '/ws': { target: gateway, ws: true },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
