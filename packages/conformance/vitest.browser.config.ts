import { playwright } from "@vitest/browser-playwright";
import { defineProject } from "vitest/config";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
const args: string[] = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
];

/**
 * The WebGPU backend in a real page. Workgroup memory is zeroed by the shader, as on Metal and D3D12: SwiftShader writes out the
 * Vulkan extension's zeroing store by store, and compiles our tiles 2.6 times as long.
 */
export default defineProject({
  resolve: { conditions: ["statespace-source"] },
  test: {
    name: "conformance browser",
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Node's tests run every op case and all golden vectors (test/webgpu.test.ts, webgpuGolden.test.ts); here one of each op and of each
    // golden group show that they hold in a page.
    provide: { allCases: process.env["CONFORMANCE_CASES"] === "all" },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args } }),
      instances: [{ browser: "chromium" }],
    },
  },
});
