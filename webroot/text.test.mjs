// Texts, numbers, times and sizes as each language writes them in the browser.
// The table is the server's too (format_test.go).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const read = async (name) => JSON.parse(await readFile(here(name), "utf8"));
const built = await build({ entryPoints: [here("src/text.ts")], bundle: true, write: false, format: "esm" });
const code = built.outputFiles[0].text;

/** The module as a page in this language loads it. */
async function moduleIn(lang, texts) {
  const carried = Object.entries(texts).map(([key, textContent]) => ({ dataset: { key }, textContent }));
  globalThis.document = {
    documentElement: { lang },
    querySelectorAll: () => [{ content: { querySelectorAll: () => carried } }],
  };
  return import(`data:text/javascript,${encodeURIComponent(code)}//${lang}`);
}

const afternoon = new Date(2026, 10, 21, 14, 2, 11);
const morning = new Date(2026, 2, 1, 9, 5, 7);

for (const [lang, want] of Object.entries(await read("testdata/formats.json"))) {
  test(lang, async () => {
    const own = await moduleIn(lang, await read(`locales/${lang}.json`));
    const got = {
      clock: [own.time(afternoon), own.time(morning)],
      date: [own.date(afternoon), own.date(morning)],
      number: [own.number(999), own.number(1234), own.number(1234567)],
      percent: [own.percent(-1), own.percent(0.07), own.percent(0.999), own.percent(2)],
      bytes: [0, 999, 1000, 1_500_000, 15_000_000, 2_400_000_000].map((size) => own.bytes(size).replace("\u00a0", " ")), // ICU versions differ
      countdown: [0, 64.2, 3599, 3600].map((seconds) => own.minutesAndSeconds(seconds)),
      texts: want.texts.map(([key, name]) => [key, name, own.text(key, { [name]: 1 }), own.text(key, { [name]: 2 })]),
    };
    const { time: _, until: __, ...theirs } = want; // without seconds: the server alone writes them
    assert.deepEqual(got, theirs);
  });
}

test("a value that looks like a placeholder stays as it is", async () => {
  const own = await moduleIn("sv", { "desktop.js.of-size": "{done} av {total}" });
  assert.equal(own.text("desktop.js.of-size", { done: "{total}", total: "7 kB" }), "{total} av 7 kB");
  assert.equal(own.text("desktop.js.of-size", { done: "519" }), "519 av {total}");
  assert.equal(own.text("no.such"), "no.such");
});
