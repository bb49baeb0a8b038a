// The status card: what is being waited for and for how long, what went wrong,
// and the way on.
import { within } from "../page";
import { text, type TextKey } from "../text";
import type { Cause, Fault } from "./cause";

export type State = "connecting" | "waiting" | "connected" | "error" | "closed";

// A wait that is longer than most, in seconds: from then on it is counted, with
// what may be the matter.
const longWait = 5;

// Before each try to connect again, in seconds; the last one from then on. The
// gateway keeps a desktop for 30 s, and the session's end ends the tries.
const delays = [1, 2, 4, 8, 15, 30];

/** What is being waited for; the same key with ".long" says what usually takes time. */
export type Stage = "desktop.js.connecting" | "desktop.js.reached" | "desktop.js.waiting" | "desktop.js.sign-in";

/** What the person can do from the card. */
export interface Ways {
  connect: () => void;
  /** Gives up what is under way. */
  abandon: () => void;
  /** Takes the desktop off the page. */
  close: () => void;
}

export class StatusCard {
  private readonly card: HTMLElement;
  private readonly again: HTMLElement;
  private readonly cancel: HTMLElement;
  private timer = 0;
  private tries = 0;
  private counting = false;
  private since = 0; // of a wait that goes on through its stages

  constructor(
    private readonly pane: HTMLElement,
    private readonly target: string,
    private readonly ways: Ways,
  ) {
    this.card = within(pane, "status");
    this.again = within(pane, "again");
    this.cancel = within(pane, "cancel");
    this.again.addEventListener("click", () => {
      this.tries = 0;
      ways.connect();
    });
    window.addEventListener("online", () => {
      if (this.counting) ways.connect();
    });
    this.cancel.addEventListener("click", () => ways.abandon());
    within(pane, "close").addEventListener("click", () => ways.close());
  }

  /** Beside others a desktop is closed by itself; alone, one goes back to the list. */
  amongOthers(isSo: boolean): void {
    within(this.pane, "close").hidden = !isSo;
    within(this.pane, "back").hidden = isSo;
  }

  focus(): void {
    const way = [...this.card.querySelectorAll<HTMLElement>("button, a[href]")].find((one) => !one.hidden);
    way?.focus();
  }

  get state(): State {
    return this.card.dataset["state"] as State;
  }

  /** Something is under way. */
  busy(state: "connecting" | "waiting", key: Stage): void {
    if (state === "connecting" || this.state === "connected") this.since = Date.now();
    this.set(state, "", text(key, { target: this.target }));
    this.say("status-more", "");
    this.say("status-detail", "");
    this.say("status-support", "");
    within(this.pane, "status-help").hidden = true;
    this.cancel.hidden = false;
    if (document.activeElement === this.again) this.cancel.focus(); // the button goes, and would take the focus along
    this.showWays({ again: false, password: false, helpdesk: false });
    if (key === "desktop.js.sign-in") return; // it is the person who is waited for
    this.timer = window.setInterval(() => this.countUp(`${key}.long`), 500);
  }

  private countUp(hint: TextKey): void {
    const seconds = Math.floor((Date.now() - this.since) / 1000);
    if (seconds < longWait) return;
    this.say("status-more", text(hint, { target: this.target }));
    this.say("status-detail", text("desktop.js.waited", { seconds }));
  }

  connected(): void {
    this.tries = 0;
    this.set("connected", "", text("desktop.js.connected", { target: this.target }));
  }

  /** The desktop is over. */
  over(cause: Cause, fault: Fault): void {
    // Looked at before anything goes that may have it; the page itself has it when it was lost.
    const hadFocus = this.pane.contains(document.activeElement) || document.activeElement === document.body;
    const values = { target: this.target, code: String(fault.code) };
    this.set(cause.state, String(fault.code), text(cause.key, values));
    this.say("status-more", text(`${cause.key}.text` as TextKey, values));
    const own = cause.state === "error" && !fault.silent && fault.text !== "" ? fault.text : "";
    this.say("status-detail", own && text("desktop.js.detail", { text: own }));
    const id = cause.state === "error" ? fault.supportId : undefined;
    this.say("status-support", id ? text("desktop.js.support-id", { id }) : "");
    const help = within<HTMLAnchorElement>(this.pane, "status-help");
    help.hidden = cause.state !== "error";
    help.href = `/help#${cause.key.split(".").at(-1)}`; // a test finds each of them there
    this.cancel.hidden = true;
    const offers = cause.offers ?? "again";
    this.showWays({
      again: offers !== "none",
      password: offers === "change-password",
      helpdesk: cause.helpdesk === true,
    });
    if (hadFocus) this.focus();
    if (cause.reconnects) this.countDown();
  }

  private countDown(): void {
    const seconds = delays[Math.min(this.tries, delays.length - 1)] ?? 0;
    const due = Date.now() + seconds * 1000;
    this.tries++;
    this.counting = true;
    this.cancel.hidden = false;
    this.say("status-said", text("desktop.js.reconnect-in", { seconds })); // aloud once, not every second
    const show = (): void => {
      const left = Math.ceil((due - Date.now()) / 1000);
      if (left <= 0) this.ways.connect();
      else this.say("status-detail", text("desktop.js.reconnect-in", { seconds: left }));
    };
    this.timer = window.setInterval(show, 500);
    show();
  }

  private set(state: State, code: string, words: string): void {
    this.counting = false;
    window.clearInterval(this.timer);
    this.card.dataset["state"] = state;
    this.card.dataset["code"] = code;
    this.pane.dataset["state"] = state;
    this.say("status-text", words);
    this.say("status-said", "");
  }

  private say(id: string, words: string): void {
    within(this.pane, id).textContent = words;
  }

  private showWays(ways: { again: boolean; password: boolean; helpdesk: boolean }): void {
    this.again.hidden = !ways.again;
    within(this.pane, "change-password").hidden = !ways.password;
    const helpdesk = this.pane.querySelector<HTMLElement>('[data-part="status-helpdesk"]'); // there may be none
    if (helpdesk) helpdesk.hidden = !ways.helpdesk;
  }
}
