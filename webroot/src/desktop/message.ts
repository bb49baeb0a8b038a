// What helpdesk says to the person at a desktop, over its picture. It is read
// aloud at once, and takes the keyboard only when nobody has typed for a moment:
// keys that were meant for the desktop must neither get lost nor press the button.
import { part } from "../page";

interface Message {
  id: string;
  words: string;
  shown: () => void;
}

const pauseMs = 1500; // without a key: whoever types sees the message, and goes on
const settleMs = 700; // after the focus has come: a key that was under way presses nothing

export class Messages {
  private readonly dialog = part<HTMLDialogElement>("message");
  private readonly words = part("message-text");
  private readonly said = part("message-said");
  private readonly ok = part<HTMLButtonElement>("message-ok");
  private readonly waiting: Message[] = [];
  private readonly known = new Set<string>(); // of those that a page which came back is told again
  private lastKey = 0;
  private focusedAt = Infinity;
  private timer = 0;

  constructor(private readonly hooks: { opened: () => void; closed: () => void }) {
    window.addEventListener("keydown", () => (this.lastKey = Date.now()), { capture: true });
    this.ok.addEventListener("click", (event) => {
      // detail 0: by a key, or by a screen reader, which comes later than that.
      if (event.detail === 0 && Date.now() - this.focusedAt < settleMs) return;
      this.close();
    });
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && Date.now() - this.focusedAt >= settleMs) this.close();
      event.stopPropagation();
    });
  }

  /** The person is in the message: nothing else takes the keyboard until it is read. */
  get hasFocus(): boolean {
    return this.dialog.open && this.dialog.contains(document.activeElement);
  }

  /** Shows words of helpdesk, now or after what stands there; shown is called once they are on the page. */
  say(id: string, words: string, shown: () => void): void {
    if (this.known.has(id)) {
      // The gateway did not hear that it was shown; one that still waits says so itself.
      if (!this.waiting.some((one) => one.id === id)) shown();
      return;
    }
    this.known.add(id);
    this.waiting.push({ id, words, shown });
    this.next();
  }

  /** To the button, from wherever the person went meanwhile; false: no message is there. */
  focus(): boolean {
    if (!this.dialog.open) return false;
    if (!this.hasFocus) {
      this.focusedAt = Date.now();
      this.ok.focus();
    }
    return true;
  }

  private next(): void {
    window.clearTimeout(this.timer);
    if (this.dialog.open) return;
    const [message] = this.waiting;
    if (!message) return;
    if (document.querySelector("dialog:modal")) { // nothing behind it can be reached or heard
      this.timer = window.setTimeout(() => this.next(), 250);
      return;
    }
    this.waiting.shift();
    this.words.textContent = message.words;
    this.said.textContent = `${part("message-heading").textContent ?? ""}: ${message.words}`;
    this.focusedAt = Infinity;
    this.dialog.open = true; // show() would take the focus
    message.shown();
    this.hooks.opened();
    this.takeFocus();
  }

  private takeFocus(): void {
    if (!this.dialog.open) return;
    const pause = Date.now() - this.lastKey;
    if (pause >= pauseMs && !document.querySelector("dialog:modal")) this.focus();
    else this.timer = window.setTimeout(() => this.takeFocus(), Math.max(pauseMs - pause, 100));
  }

  private close(): void {
    this.dialog.close();
    this.said.textContent = "";
    this.hooks.closed();
    this.next();
  }
}
