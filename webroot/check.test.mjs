// What the connection check makes of its round trips.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = fileURLToPath(new URL("src/check/socket.ts", import.meta.url));
const built = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
const { median, jitter } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);

const table = [
  // name, ms, median, jitter
  ["none", [], 0, 0],
  ["one", [12.4], 12, 0],
  ["even", [10, 10, 10, 10], 10, 0],
  ["two", [10, 21], 16, 11],
  ["one slow among fast", [10, 10, 200, 10, 10], 10, 95],
  ["rising", [10, 20, 30], 20, 10],
  ["beyond what the portal takes", [90_000, 10], 45_005, 60_000],
];

for (const [name, times, middle, step] of table) {
  test(name, () => {
    assert.equal(median(times), middle);
    assert.equal(jitter(times), step);
  });
}
