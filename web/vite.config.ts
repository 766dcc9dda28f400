import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env["API_URL"] ?? "http://localhost:3001";

export default defineConfig({
  base: "/app/",
  plugins: [react()],
  build: {
    outDir: "../src/glaze/web",
    emptyOutDir: true,
    // The policy that pages are served under allows no data: in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { proxy: { "/v1": { target: api, ws: true }, "/readyz": api } },
});
