// The status card: what is being waited for, what went wrong, and the way on.
import { optionalPart, part } from "../page";
import { text, type TextKey } from "../text";
import type { Cause, Fault } from "./cause";

export type State = "connecting" | "waiting" | "connected" | "error" | "closed";

// Before each try to connect again, in seconds; the last one from then on. The
// gateway keeps a desktop for 30 s, and the session's end ends the tries.
const delays = [1, 2, 4, 8, 15, 30];

export class StatusCard {
  private readonly card = part("status");
  private readonly again = part<HTMLButtonElement>("again");
  private readonly cancel = part<HTMLButtonElement>("cancel");
  private timer = 0;
  private tries = 0;
  private counting = false;

  constructor(
    private readonly target: string,
    private readonly connect: () => void,
    private readonly abandon: () => void,
  ) {
    this.again.addEventListener("click", () => {
      this.tries = 0;
      this.connect();
    });
    window.addEventListener("online", () => {
      if (this.counting) this.connect();
    });
    this.cancel.addEventListener("click", () => {
      if (this.state === "error" || this.state === "closed") this.stopCounting();
      else this.abandon();
    });
  }

  get state(): State {
    return this.card.dataset["state"] as State;
  }

  /** Something is under way. */
  busy(state: "connecting" | "waiting", key: TextKey): void {
    this.set(state, "", text(key, { target: this.target }));
    this.say("status-more", "");
    this.say("status-detail", "");
    this.cancel.hidden = false;
    this.showWays({ again: false, password: false, helpdesk: false });
  }

  connected(): void {
    this.tries = 0;
    this.set("connected", "", text("desktop.js.connected", { target: this.target }));
  }

  /** The desktop is over. */
  over(cause: Cause, fault: Fault): void {
    const values = { target: this.target, code: fault.code };
    this.set(cause.state, String(fault.code), text(cause.key, values));
    this.say("status-more", text(`${cause.key}.text` as TextKey, values));
    const own = cause.state === "error" && !fault.silent && fault.text !== "" ? fault.text : "";
    this.say("status-detail", own && text("desktop.js.detail", { text: own }));
    this.cancel.hidden = true;
    const offers = cause.offers ?? "again";
    this.showWays({
      again: offers !== "none",
      password: offers === "change-password",
      helpdesk: cause.helpdesk === true,
    });
    if (!this.again.hidden) this.again.focus();
    if (cause.reconnects) this.countDown();
  }

  private countDown(): void {
    const due = Date.now() + (delays[Math.min(this.tries, delays.length - 1)] ?? 0) * 1000;
    this.tries++;
    this.counting = true;
    this.cancel.hidden = false;
    const show = (): void => {
      const left = Math.ceil((due - Date.now()) / 1000);
      if (left <= 0) this.connect();
      else this.say("status-detail", text("desktop.js.reconnect-in", { seconds: left }));
    };
    this.timer = window.setInterval(show, 500);
    show();
  }

  private stopCounting(): void {
    this.counting = false;
    window.clearInterval(this.timer);
    this.cancel.hidden = true;
    this.say("status-detail", "");
  }

  private set(state: State, code: string, words: string): void {
    this.counting = false;
    window.clearInterval(this.timer);
    this.card.dataset["state"] = state;
    this.card.dataset["code"] = code;
    this.say("status-text", words);
  }

  private say(id: string, words: string): void {
    part(id).textContent = words;
  }

  private showWays(ways: { again: boolean; password: boolean; helpdesk: boolean }): void {
    this.again.hidden = !ways.again;
    part("change-password").hidden = !ways.password;
    const helpdesk = optionalPart("status-helpdesk");
    if (helpdesk) helpdesk.hidden = !ways.helpdesk;
  }
}

/** Small words in a corner that go by themselves. */
export class Whisper {
  private readonly box = part("whisper");
  private timer = 0;

  say(words: string, stays = false): void {
    window.clearTimeout(this.timer);
    this.box.textContent = words;
    this.box.hidden = words === "";
    if (!stays && words !== "") this.timer = window.setTimeout(() => this.say(""), 6000);
  }
}
