// The sums of the desktop page: text as keys, fingers, sizes, the connection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

async function load(name) {
  const entry = fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));
  const built = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
  return import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
}

const { difference, keysymsOf } = await load("desktop/typed");
const { Gestures } = await load("desktop/gestures");
const { scaleOf, viewOf, wanted } = await load("desktop/scale");
const { Quality } = await load("desktop/quality");

const { announcement } = await load("announce");

/** What is said while the clock runs down from the warning, as often as the dialog looks. */
function said(warning) {
  const all = [];
  let last = Infinity;
  for (let ms = warning * 1000; ms > 0; ms -= 250) {
    const now = announcement(Math.ceil(ms / 1000), last);
    if (now !== undefined) all.push((last = now));
  }
  return all;
}

test("idle: announced at 120, 60, 30 and 10 s, once each", () => assert.deepEqual(said(120), [120, 60, 30, 10]));
test("idle: a shorter warning has fewer", () => assert.deepEqual(said(30), [30, 10]));
test("idle: a laptop that slept does not catch up", () => {
  assert.equal(announcement(5, 120), 10);
  assert.equal(announcement(45, 120), undefined);
});

for (const [name, before, after, erase, text] of [
  ["nothing", "ab", "ab", 0, ""],
  ["more", "ab", "abc", 0, "c"],
  ["less", "abc", "ab", 1, ""],
  ["a word put right", "jag heterr", "jag heter", 1, ""],
  ["another word", "hej", "hallå", 2, "allå"],
  ["an emoji is one character", "a😀", "a", 1, ""],
  ["an emoji that shares half with another", "😀", "😁", 1, "😁"],
]) {
  test(`text: ${name}`, () => assert.deepEqual(difference(before, after), { erase, text }));
}

for (const [text, keysyms] of [
  ["a", [0x61]],
  ["åÄé", [0xe5, 0xc4, 0xe9]],
  ["€", [0x010020ac]],
  ["😀", [0x0101f600]],
  ["❤\ufe0f", [0x01002764]],
  ["a\r\nb\n\t", [0x61, 0xff0d, 0x62, 0xff0d, 0xff09]],
  ["\u0000\u001b\u0085", []],
]) {
  test(`keys of ${JSON.stringify(text)}`, () => assert.deepEqual(keysymsOf(text), keysyms));
}

/** Plays touches ([ms, finger...]) and tells what came of them. */
function played(...touches) {
  const told = [];
  const at = ({ x, y }) => `${Math.round(x)},${Math.round(y)}`;
  let alarm = null;
  const hand = {
    tap: (point, fingers) => told.push(`tap${fingers} ${at(point)}`),
    hold: (point) => told.push(`hold ${at(point)}`),
    move: (by) => told.push(`move ${at(by)}`),
    drag: (phase, point) => told.push(`${phase} ${at(point)}`),
    scroll: (by) => told.push(`scroll ${at(by)}`),
    pinch: (factor) => told.push(`pinch ${factor.toFixed(2)}`),
  };
  let now = 0;
  const gestures = new Gestures(hand, (act, ms) => {
    const mine = { act, due: now + ms };
    alarm = mine;
    return () => { if (alarm === mine) alarm = null; };
  });
  for (const [when, ...fingers] of touches) {
    if (alarm && alarm.due <= when) {
      const { act } = alarm;
      alarm = null;
      act();
    }
    now = when;
    gestures.touch(fingers.map(([x, y]) => ({ x, y })), when);
  }
  return told;
}

for (const [name, touches, told] of [
  ["a tap", [[0, [50, 50]], [80]], ["tap1 50,50"]],
  ["a tap that trembles", [[0, [50, 50]], [40, [55, 53]], [80]], ["tap1 50,50"]],
  ["a double tap clicks at one place", [[0, [50, 50]], [80], [160, [60, 55]], [220]], ["tap1 50,50", "tap1 50,50"]],
  ["two taps far apart", [[0, [50, 50]], [80], [160, [250, 50]], [220]], ["tap1 50,50", "tap1 250,50"]],
  ["a finger that stays", [[0, [50, 50]], [600, [50, 50]], [700]], ["hold 50,50"]],
  ["a finger that moves", [[0, [50, 50]], [20, [50, 70]], [40, [50, 90]], [60]], ["move 0,20", "move 0,20"]],
  ["a tap and a drag", [[0, [50, 50]], [80], [160, [50, 50]], [200, [90, 50]], [260]],
    ["tap1 50,50", "down 50,50", "move 90,50", "up 90,50"]],
  ["two fingers tap", [[0, [50, 50]], [20, [50, 50], [90, 50]], [90, [50, 50]], [100]], ["tap2 70,50"]],
  ["two fingers scroll", [[0, [50, 50]], [5, [50, 50], [90, 50]], [20, [50, 80], [90, 80]], [40, [50, 100], [90, 100]], [60]],
    ["scroll 0,30", "scroll 0,20"]],
  ["two fingers pinch", [[0, [50, 50], [90, 50]], [20, [30, 50], [110, 50]], [40, [10, 50], [130, 50]], [60]],
    ["pinch 2.00", "pinch 1.50"]],
  ["the finger that is left after a scroll does nothing",
    [[0, [50, 50], [90, 50]], [20, [50, 80], [90, 80]], [40, [50, 80]], [60, [200, 80]], [80]], ["scroll 0,30"]],
  ["a second finger ends a drag", [[0, [50, 50]], [80], [160, [50, 50]], [200, [90, 50]], [220, [90, 50], [120, 50]], [240]],
    ["tap1 50,50", "down 50,50", "move 90,50", "up 90,50", "tap2 105,50"]],
]) {
  test(`fingers: ${name}`, () => assert.deepEqual(played(...touches), told));
}

const frame = { width: 1000, height: 600 };
for (const [name, view, ratio, size, scale] of [
  ["fitted", "fit", 1, [1000, 600], 1],
  ["fitted on a dense screen: nothing becomes tiny", "fit", 2, [1000, 600], 1],
  ["true pixels", "pixels", 1, [1000, 600], 1],
  ["true pixels on a dense screen", "pixels", 2, [2000, 1200], 0.5],
  ["true pixels at 150 percent", "pixels", 1.5, [1500, 900], 1 / 1.5],
  ["true pixels where the browser is zoomed out", "pixels", 0.5, [500, 300], 2],
  ["smaller, so more of it", 50, 1, [2000, 1200], 0.5],
  ["magnified", 200, 1, [1000, 600], 2],
]) {
  test(`size: ${name}`, () => {
    const asked = wanted(frame, view, ratio);
    assert.deepEqual([asked.width, asked.height], size);
    assert.equal(scaleOf(frame, asked, asked, view, ratio), scale);
  });
}

test("size: within what the gateway takes", () => {
  assert.deepEqual(wanted({ width: 5000, height: 3000 }, "pixels", 2), { width: 7680, height: 4320 });
  assert.deepEqual(wanted({ width: 100, height: 90 }, "fit", 1), { width: 320, height: 240 });
});

test("size: a desktop that rounds is not stretched", () => {
  assert.equal(scaleOf({ width: 637, height: 800 }, { width: 636, height: 800 }, { width: 637, height: 800 }, "fit", 1), 1);
});

test("size: a desktop with a size of its own is fitted", () => {
  assert.equal(scaleOf(frame, { width: 2000, height: 600 }, null, "fit", 1), 0.5);
  assert.equal(scaleOf(frame, { width: 998, height: 600 }, null, "fit", 1), 1);
});

test("size: what is remembered is read with care", () => {
  const read = ["fit", "pixels", "150", "", "9000", "1e3", "-5", "x"].map(viewOf);
  assert.deepEqual(read, ["fit", "pixels", 150, "fit", "fit", "fit", "fit", "fit"]);
});

test("connection: the level follows, but slowly", () => {
  const quality = new Quality();
  const changes = [];
  let at = 0;
  const run = (ms, times) => {
    for (let i = 0; i < times; i++, at += 500) if (quality.measured(ms, at)) changes.push(quality.level);
  };
  run(20, 20);
  run(900, 3); // a hiccup
  run(20, 20);
  run(400, 30);
  run(170, 30); // not enough to be better
  run(120, 30);
  run(70, 30);
  run(40, 30);
  assert.deepEqual(changes, ["good", "poor", "fair", "good"]);
  assert.equal(quality.roundTrip, 40);
});
