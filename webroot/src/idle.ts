// The idle clock: the server decides when a session is over, this asks it and
// warns the person in time. Everything is reckoned from timestamps, so that a
// laptop that slept shows the truth when it wakes.
import { announcement } from "./announce";
import { minutesAndSeconds, text } from "./text";

/** What GET /session and POST /session/extend answer; seconds. */
interface SessionState {
  state: string;
  idle_left: number;
  absolute_left: number;
  warn: number;
}

/** What the desktop page does after the dialog. */
export interface IdleHooks {
  /** Where the person is, by the ids of targets, to come back to after the login. */
  place?: () => string;
  /** The dialog has come. */
  onOpen?: () => void;
  /** The dialog, which took the focus and so the keyboard, is gone again. */
  onClose?: () => void;
}

const extendEveryMs = 60_000;
const askAgainMs = 5_000;
const longestSleepMs = 60_000; // a background tab asks at least this often

class IdleClock {
  private idleEnds = Infinity; // ms since the epoch
  private absoluteEnds = Infinity;
  private warnMs: number;
  private lastExtend = Date.now(); // the page itself was input
  private lastAsked = 0;
  private timer = 0;
  private announced = Infinity;
  private dismissed = false; // the warning of the absolute end has been read
  private title = document.title; // as it was before the warning

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly hooks: IdleHooks,
  ) {
    const { idle, warn } = document.body.dataset;
    this.warnMs = Number(warn ?? 120) * 1000;
    this.idleEnds = Date.now() + Number(idle ?? 900) * 1000;
  }

  start(): void {
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // Escape is a sign of life too
      void this.keep();
    });
    this.part("#idle-keep").addEventListener("click", () => void this.keep());
    for (const kind of ["keydown", "pointerdown", "pointermove", "touchstart", "wheel"]) {
      window.addEventListener(kind, (event) => this.input(event), { capture: true, passive: true });
    }
    for (const kind of ["pageshow", "focus", "online"]) window.addEventListener(kind, () => void this.ask());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.ask();
    });
    void this.ask();
  }

  /** Human input on the page: tells the server, at most once a minute. */
  private input(event: Event): void {
    if (!event.isTrusted || this.dialog.open) return;
    if (Date.now() - this.lastExtend < extendEveryMs) return;
    void this.extend();
  }

  private async keep(): Promise<void> {
    if (this.nextEnd() === this.absoluteEnds) {
      this.dismissed = true;
      this.close();
      return;
    }
    await this.extend();
  }

  private async extend(): Promise<void> {
    this.lastExtend = Date.now();
    await this.talk("/session/extend", "POST");
  }

  async ask(): Promise<void> {
    await this.talk("/session", "GET");
  }

  private async talk(path: string, method: string): Promise<void> {
    this.lastAsked = Date.now();
    try {
      const answer = await fetch(path, {
        method,
        headers: { Accept: "application/json" },
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      if (answer.status === 401) {
        this.leave();
        return;
      }
      if (answer.ok) {
        const state = (await answer.json()) as SessionState;
        if (state.state !== "ready") {
          this.leave();
          return;
        }
        this.learn(state);
      }
    } catch {
      // No answer: the clock goes on with what it knows, and asks again.
    }
    this.tick();
  }

  private learn(state: SessionState): void {
    const now = Date.now();
    this.idleEnds = now + state.idle_left * 1000;
    this.absoluteEnds = now + state.absolute_left * 1000;
    this.warnMs = state.warn * 1000;
  }

  private nextEnd(): number {
    return Math.min(this.idleEnds, this.absoluteEnds);
  }

  /** Looks at the time and does what is due; sets the next look. */
  private tick(): void {
    window.clearTimeout(this.timer);
    const now = Date.now();
    const left = this.nextEnd() - now;
    const due = left <= this.warnMs && !(this.dismissed && this.nextEnd() === this.absoluteEnds && left > 0);
    let next = Math.min(left - this.warnMs, longestSleepMs);
    if (due) {
      // Another tab, or the desktop, may have been used: ask before and while warning.
      if (now - this.lastAsked > askAgainMs) {
        void this.ask();
        return;
      }
      if (left > 0) this.open();
      this.show(left);
      next = 250;
    } else {
      if (this.dialog.open) this.close();
      if (now - this.lastAsked > longestSleepMs) {
        void this.ask();
        return;
      }
      if (this.dismissed) next = Math.min(left, longestSleepMs);
    }
    this.timer = window.setTimeout(() => this.tick(), Math.max(next, 250));
  }

  private open(): void {
    if (this.dialog.open) return;
    const which = this.nextEnd() === this.absoluteEnds ? "absolute" : "idle";
    for (const one of this.dialog.querySelectorAll<HTMLElement>("[data-case]")) {
      one.hidden = one.dataset["case"] !== which;
    }
    this.announced = Infinity;
    this.title = document.title;
    this.dialog.showModal();
    this.hooks.onOpen?.();
  }

  private close(): void {
    if (!this.dialog.open) return;
    this.dialog.close();
    document.title = this.title;
    this.part("#idle-announce").textContent = text("idle.js.kept");
    this.hooks.onClose?.();
  }

  private show(left: number): void {
    const seconds = Math.max(0, Math.ceil(left / 1000));
    const time = minutesAndSeconds(seconds);
    this.part("#idle-left").textContent = text("idle.js.left", { time });
    document.title = seconds % 2 === 0 ? text("idle.js.title", { time }) : this.title;
    // Said aloud at four moments only; the first as the dialog opens.
    const said = announcement(seconds, this.announced);
    if (said !== undefined) {
      this.announced = said;
      this.part("#idle-announce").textContent = text("idle.js.announce", { seconds: said });
    }
  }

  private leave(): void {
    window.clearTimeout(this.timer);
    const place = this.hooks.place?.() ?? "";
    window.location.assign(place ? `/login?target=${place}` : "/login"); // the server says there why
  }

  private part(selector: string): HTMLElement {
    const found = this.dialog.querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`the idle dialog lacks ${selector}`);
    return found;
  }
}

/** Starts the clock where the page belongs to a session. Call the result to ask the server at once. */
export function startIdleClock(hooks: IdleHooks = {}): () => Promise<void> {
  const dialog = document.querySelector<HTMLDialogElement>("#idle");
  if (!dialog || document.body.dataset["idle"] === undefined) return async () => undefined;
  const clock = new IdleClock(dialog, hooks);
  clock.start();
  return () => clock.ask();
}
