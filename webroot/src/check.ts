// The connection check: tries what the portal and its desktops need, says in
// words what came of it, and sends the result to the portal for helpdesk.
import { part } from "./page";
import { roundTrips, type SocketState, type Trips } from "./check/socket";
import { missing } from "./check/browser";
import { KeyboardTest } from "./check/keyboard";
import { text, type TextKey } from "./text";

type State = "good" | "fair" | "bad";
type Row = "browser" | "cookies" | "socket" | "trip" | "clock" | "network";

/** What GET /check/portal answers. */
interface Portal {
  now: number;
  cookies: boolean;
  address: string;
  proxy: boolean;
}

/** What POST /check takes (gateway/check.go has the same). */
interface Report {
  missing: string[];
  cookies: boolean;
  socket: SocketState;
  trips: number;
  round_trip: number;
  jitter: number;
  clock: number;
  network: string;
  keyboard: string;
  altgr: boolean;
  earlier: string;
}

const clockOff = 120; // s; gateway/check.go has the same two
const slowTrip = 300; // ms
const fairTrip = 100;
const unevenTrip = 50; // ms of jitter
const patience = 10_000;
const rank: State[] = ["good", "fair", "bad"];
const labels: Record<State, TextKey> = { good: "check.js.good", fair: "check.js.fair", bad: "check.js.bad" };
const verdicts: Record<State, TextKey> = {
  good: "check.js.verdict.good", fair: "check.js.verdict.fair", bad: "check.js.verdict.bad",
};
const icons: Record<State | "waiting", string> = { waiting: "info", good: "done", fair: "info", bad: "alert" };

const host = part("verdict").dataset["host"] ?? location.host;
const rows: Row[] = ["browser", "cookies", "socket", "trip", "clock", "network"];
const states = new Map<Row, State>();
const keyboard = new KeyboardTest(() => void send());
let report: Report;
let earlier = "";

function mark(element: HTMLElement, state: State | "waiting"): void {
  element.dataset["state"] = state;
  const use = element.querySelector("use");
  use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*$/, `#${icons[state]}`));
}

/** Says what came of one thing. The word before it says what the colour says. */
function say(row: Row, state: State, words: string): void {
  states.set(row, state);
  const element = part(`check-${row}`);
  mark(element, state);
  const paragraph = element.querySelector("p");
  if (paragraph) paragraph.textContent = `${text(labels[state])}: ${words}`;
}

/** Everything but the keyboard, which needs a person. */
async function check(): Promise<void> {
  states.clear();
  part("checks").hidden = false;
  for (const row of rows) {
    mark(part(`check-${row}`), "waiting");
    const paragraph = part(`check-${row}`).querySelector("p");
    if (paragraph) paragraph.textContent = text("check.js.waiting");
  }
  mark(part("verdict"), "waiting");
  part("verdict-text").textContent = text("check.js.waiting");
  const lacking = await missing();
  if (lacking.length === 0) say("browser", "good", text("check.js.browser.good"));
  else say("browser", "bad", text("check.js.browser.bad", { what: lacking.join(", ") }));
  const before = Date.now();
  const portal = await askPortal();
  const clock = portal ? Math.round(((before + Date.now()) / 2 - portal.now) / 1000) : 0;
  sayPortal(portal, clock);
  const trips = await roundTrips();
  sayTrips(trips, portal !== null);
  report = {
    missing: lacking, cookies: portal?.cookies ?? navigator.cookieEnabled,
    socket: trips.state, trips: trips.count, round_trip: trips.median, jitter: trips.jitter,
    clock, network: kind(), keyboard: keyboard.arrived, altgr: keyboard.altGr, earlier: "",
  };
  sayVerdict();
  part("keyboard-check").hidden = false;
  await send();
}

async function askPortal(): Promise<Portal | null> {
  try {
    const answer = await fetch("/check/portal", { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(patience) });
    return answer.ok ? ((await answer.json()) as Portal) : null;
  } catch {
    return null;
  }
}

function sayPortal(portal: Portal | null, clock: number): void {
  if (!portal) {
    for (const row of ["cookies", "clock", "network"] as const) say(row, "bad", text("check.js.unreachable"));
    return;
  }
  if (portal.cookies) say("cookies", "good", text("check.js.cookies.good"));
  else say("cookies", "bad", text("check.js.cookies.bad", { host }));
  const minutes = Math.round(Math.abs(clock) / 60);
  if (Math.abs(clock) <= clockOff) say("clock", "good", text("check.js.clock.good"));
  else say("clock", "bad", text(clock > 0 ? "check.js.clock.fast" : "check.js.clock.slow", { minutes }));
  const words = [text("check.js.network.address", { address: portal.address })];
  const name = { wifi: "check.js.kind.wifi", cellular: "check.js.kind.cellular", ethernet: "check.js.kind.ethernet" }[kind()];
  if (name) words.push(text("check.js.network.kind", { kind: text(name as TextKey) }));
  if (portal.proxy) words.push(text("check.js.network.proxy"));
  say("network", portal.proxy ? "fair" : "good", words.join(" "));
}

function sayTrips(trips: Trips, reachable: boolean): void {
  const values = { trip: trips.median, jitter: trips.jitter };
  if (!reachable) say("socket", "bad", text("check.js.unreachable"));
  else if (trips.state === "ok") say("socket", "good", text("check.js.socket.good"));
  else if (trips.state === "busy") say("socket", "fair", text("check.js.socket.busy"));
  else if (trips.state === "cut") say("socket", "bad", text("check.js.socket.cut"));
  else say("socket", "bad", text("check.js.socket.blocked", { host }));
  if (trips.count === 0) say("trip", "fair", text("check.js.trip.none")); // the fault is told above
  else if (trips.median > slowTrip) say("trip", "bad", text("check.js.trip.bad", values));
  else if (trips.jitter > unevenTrip) say("trip", "fair", text("check.js.trip.uneven", values));
  else if (trips.median > fairTrip) say("trip", "fair", text("check.js.trip.fair", values));
  else say("trip", "good", text("check.js.trip.good", values));
}

/** What the browser knows of its network: Chromium on some systems. */
function kind(): string {
  const connection = (navigator as { connection?: { type?: unknown } }).connection;
  const type = typeof connection?.type === "string" ? connection.type : "";
  return /^[a-z0-9-]{1,24}$/.test(type) && type !== "unknown" ? type : "";
}

function heading(row: Row): string {
  return part(`check-${row}`).querySelector("h3")?.textContent?.toLocaleLowerCase(document.documentElement.lang) ?? "";
}

function sayVerdict(): void {
  const worst = rank[Math.max(...[...states.values()].map((state) => rank.indexOf(state)))] ?? "bad";
  const what = rows.filter((row) => states.get(row) === worst).map(heading).join(", ");
  mark(part("verdict"), worst);
  part("verdict").classList.toggle("fault", worst === "bad");
  part("verdict").classList.toggle("notice", worst !== "bad");
  part("verdict-text").textContent = text(verdicts[worst], { what });
}

/** Sends the result; the portal answers with the support id. */
async function send(): Promise<void> {
  report = { ...report, keyboard: keyboard.arrived, altgr: keyboard.altGr, earlier };
  part("record").hidden = false;
  let words = text("check.js.not-recorded");
  try {
    const answer = await fetch("/check", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(report),
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    if (answer.ok || answer.status === 429) {
      const { id, recorded } = (await answer.json()) as { id: string; recorded: boolean };
      earlier = id;
      words = text(recorded ? "check.js.recorded" : "check.js.logged", { id });
    }
  } catch {
    // The words say so.
  }
  part("record-text").textContent = words;
}

/** The whole result as text, for a mail or a chat. */
function summary(): string {
  const lines = [document.title, new Date().toISOString(), location.origin, navigator.userAgent, part("verdict-text").textContent ?? ""];
  for (const row of rows) lines.push(`${heading(row)}: ${part(`check-${row}`).querySelector("p")?.textContent ?? ""}`);
  if (keyboard.arrived) lines.push(part("keyboard-text").textContent ?? "");
  lines.push(part("record-text").textContent ?? "");
  return lines.join("\n");
}

async function copy(): Promise<void> {
  const field = part<HTMLTextAreaElement>("copy-field");
  try {
    await navigator.clipboard.writeText(summary());
    field.hidden = true;
    part("copy-text").textContent = text("check.js.copied");
  } catch {
    field.hidden = false;
    field.value = summary();
    field.select();
    part("copy-text").textContent = text("check.js.copy-failed");
  }
}

part("check-copy").addEventListener("click", () => void copy());
part("check-again").addEventListener("click", () => location.reload()); // as at first, a new page and its cookie included
void check();
