// What guacd and the gateway report, and what the person is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = fileURLToPath(new URL("src/desktop/cause.ts", import.meta.url));
const built = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
const { causeOf } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);

const table = [
  // name, code, text, key, connects again by itself
  ["wrong password", 769, "Authentication failure (invalid credentials?)", "refused", false],
  ["password expired", 771, "Credentials expired.", "expired", false],
  ["account locked", 771, "Access denied (account locked/disabled?)", "denied", false],
  ["may not log on", 771, "Insufficient privileges.", "denied", false],
  ["name unknown", 519, "DNS lookup failed (incorrect hostname?)", "no-answer", false],
  ["nobody listens", 519, "Connection failed (server unreachable?)", "no-answer", false],
  ["nobody listens, guacd 1.3", 519, "Server refused connection (wrong security type?)", "no-answer", false],
  ["certificate", 519, "SSL/TLS connection failed (untrusted/self-signed certificate?)", "identity", false],
  ["security", 515, "Security negotiation failed (wrong security type?)", "configuration", false],
  ["elsewhere", 521, "Disconnected by other connection.", "conflict", false],
  ["logged off", 523, "Manually logged off.", "logged-off", false],
  ["disconnected by hand", 523, "Manually disconnected.", "logged-off", false],
  ["the target's own idle limit", 522, "Idle session time limit exceeded.", "timed-out", false],
  ["a clean end", 0, "", "logged-off", false],
  ["idle at the gateway", 522, "", "timed-out", false],
  ["session ended", 523, "", "ended", false],
  ["ended by helpdesk", 523, "The desktop was ended by helpdesk.", "ended-by-helpdesk", false],
  ["taken over", 521, "", "conflict", false],
  ["too many desktops", 797, "", "too-many", false],
  ["not allowed", 771, "", "forbidden", false],
  ["guacd gone", 520, "", "upstream", true],
  ["a browser that was silent", 776, "", "network", true],
  ["fault of the gateway", 512, "", "broken", false],
  ["a code that nobody knows", 4711, "", "broken", false],
];

for (const [name, code, text, key, reconnects] of table) {
  test(name, () => {
    const cause = causeOf({ code, text, silent: false });
    assert.equal(cause.key, `desktop.js.${key}`);
    assert.equal(cause.reconnects ?? false, reconnects);
  });
}

// The rows of failures that people meet, each with its way on: what the page offers
// beside going back, whether it tries by itself, whether it names the helpdesk.
for (const [name, fault, offers, reconnects, helpdesk] of [
  ["wrong password: try again, by hand", { code: 769, text: "Authentication failure (invalid credentials?)" }, "again", false, false],
  ["expired password: change it", { code: 771, text: "Credentials expired." }, "change-password", false, false],
  ["locked account: helpdesk", { code: 771, text: "Access denied (account locked/disabled?)" }, "again", false, true],
  ["name unknown: try again", { code: 519, text: "DNS lookup failed (incorrect hostname?)" }, "again", false, false],
  ["no answer: try again", { code: 519, text: "Connection failed (server unreachable?)" }, "again", false, false],
  ["untrusted certificate: no way past it", { code: 519, text: "SSL/TLS connection failed (untrusted/self-signed certificate?)" }, "none", false, true],
  ["security negotiation: helpdesk", { code: 515, text: "Security negotiation failed (wrong security type?)" }, "again", false, true],
  ["signed in elsewhere: not by itself", { code: 521, text: "Disconnected by other connection." }, "again", false, false],
  ["logged off: not by itself", { code: 523, text: "Manually logged off." }, "again", false, false],
  ["network trouble: by itself", { code: 776, text: "" }, "again", true, false],
  ["guacd gone: by itself", { code: 520, text: "" }, "again", true, false],
]) {
  test(`way on: ${name}`, () => {
    const cause = causeOf({ silent: false, ...fault });
    assert.deepEqual([cause.offers ?? "again", cause.reconnects ?? false, cause.helpdesk ?? false], [offers, reconnects, helpdesk]);
  });
}

test("the network is gone", () => {
  const cause = causeOf({ code: 519, text: "", silent: true });
  assert.equal(cause.key, "desktop.js.network");
  assert.equal(cause.reconnects, true);
});

test("a doubtful text after the sign-in box is a refused password", () => {
  const text = "Server refused connection (wrong security type?)";
  assert.equal(causeOf({ code: 519, text, silent: false, answered: true }).key, "desktop.js.refused");
});
