import { defineConfig } from "vite";

// One file without dependencies, which Glaze itself serves.
export default defineConfig({
  root: import.meta.dirname,
  build: {
    lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "glaze-job-status.js" },
    outDir: "../../src/glaze/web/component",
    emptyOutDir: true,
    target: "es2022",
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
