// The keyboard of one desktop. Keys go to it only while the focus is in its
// frame; Ctrl+Alt+Shift gives the keyboard back to the page.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { backspace, difference, keysymsOf } from "./typed";

export const ctrl = 0xffe3;
export const alt = 0xffe9;
export const del = 0xffff;

const altGr = 0xfe03;
const meta = [0xffe7, 0xffe8];
const isApple = /mac|iphone|ipad/i.test(navigator.platform);
// Option is AltGr to the library on a Mac. Elsewhere AltGr is Ctrl and Alt at once, and asks for nothing.
const release: number[][] = [[ctrl, 0xffe4], isApple ? [alt, 0xffea, altGr] : [alt, 0xffea], [0xffe1, 0xffe2]];

// What the field holds: a phone's Backspace sends no key, only the loss of a character.
const filling = "\u00a0".repeat(16);
const longest = 4096; // characters typed at once

export class Input {
  private readonly keyboard: Guacamole.Keyboard;
  private readonly sink: HTMLTextAreaElement;
  private readonly page: Document;
  private client: Guacamole.Client | null = null;
  private seen = filling; // what has been sent of what the field holds
  private readonly held = new Set<number>(); // keys of the key row that stay down

  constructor(
    private readonly frame: HTMLElement,
    private readonly released: () => void,
    /** Called when what is held has changed. */
    private readonly changed: () => void = () => undefined,
  ) {
    this.page = frame.ownerDocument; // of the second window too
    this.sink = within<HTMLTextAreaElement>(frame, "sink");
    this.sink.setAttribute("aria-label", frame.getAttribute("aria-label") ?? "");
    this.listenToText();
    this.keyboard = new Guacamole.Keyboard(frame);
    frame.addEventListener("focusin", () => this.grab());
    frame.addEventListener("focusout", () => this.letGo());
    frame.addEventListener("focus", () => this.focus()); // composition needs a field
    const view = this.page.defaultView;
    view?.addEventListener("blur", () => this.letGo());
    view?.addEventListener("focus", () => {
      if (frame.contains(this.page.activeElement)) this.grab();
    });
    this.usePhoneKeyboard(false);
  }

  /** Sends to this client from now on; null: to nobody. */
  attach(client: Guacamole.Client | null): void {
    this.letGo();
    this.client = client;
    this.frame.tabIndex = client ? 0 : -1; // without a desktop there is nothing to go to
  }

  /** Whether keys go to the desktop. */
  get hasKeyboard(): boolean {
    return this.client !== null && this.frame.contains(this.page.activeElement);
  }

  /** Gives the keyboard to the desktop. */
  focus(): void {
    if (this.page.querySelector("dialog:modal")) return;
    this.sink.focus({ preventScroll: true });
  }

  /** Whether a phone shows its keyboard while the desktop has the focus: not at every tap. */
  usePhoneKeyboard(isWanted: boolean): void {
    this.sink.inputMode = isWanted || !matchMedia("(pointer: coarse)").matches ? "text" : "none";
  }

  /** Presses keys together and lets them go in reverse. */
  send(...keysyms: number[]): void {
    for (const keysym of keysyms) this.client?.sendKeyEvent(1, keysym);
    for (const keysym of keysyms.reverse()) this.client?.sendKeyEvent(0, keysym);
    this.releaseHeld();
  }

  /** Holds a modifier down until the next key, or lets it go. */
  toggle(keysym: number): void {
    if (!this.client) return;
    if (this.held.delete(keysym)) {
      this.client.sendKeyEvent(0, keysym);
    } else {
      this.held.add(keysym);
      this.client.sendKeyEvent(1, keysym);
    }
    this.changed();
  }

  holds(keysym: number): boolean {
    return this.held.has(keysym);
  }

  private grab(): void {
    if (!this.client) return;
    this.keyboard.onkeydown = (keysym) => {
      this.client?.sendKeyEvent(1, meant(keysym));
      if (!this.asksForRelease()) return false;
      this.letGo();
      this.released();
      return false;
    };
    this.keyboard.onkeyup = (keysym) => {
      this.client?.sendKeyEvent(0, meant(keysym));
      this.releaseHeld();
    };
  }

  private letGo(): void {
    this.keyboard.reset(); // lets go of every key that the desktop holds for pressed
    this.keyboard.onkeydown = null;
    this.keyboard.onkeyup = null;
    this.releaseHeld();
  }

  private releaseHeld(): void {
    if (this.held.size === 0) return;
    for (const keysym of this.held) this.client?.sendKeyEvent(0, keysym);
    this.held.clear();
    this.changed();
  }

  private asksForRelease(): boolean {
    return release.every((one) => one.some((keysym) => this.keyboard.pressed[keysym]));
  }

  /**
   * Takes text that comes without keys. The client library would lose some of
   * it (an emoji's second half; all plain input after a first composition), so
   * it is not told.
   */
  private listenToText(): void {
    // A key that has gone out as a key types nothing, whatever the browser makes of it after a paste.
    let isTaken = false;
    this.sink.addEventListener("keydown", (event) => (isTaken = event.defaultPrevented));
    this.sink.addEventListener("keypress", (event) => {
      if (isTaken) event.preventDefault();
    });
    const isLive = /android/i.test(navigator.userAgent); // its keyboards compose each word, for as long as it is typed
    this.refill();
    for (const kind of ["compositionstart", "compositionupdate", "compositionend", "input"]) {
      this.sink.addEventListener(kind, (event) => {
        event.stopPropagation();
        const isOpen = kind !== "compositionend" && (kind !== "input" || (event as InputEvent).isComposing);
        if (!isOpen) {
          this.type(this.sink.value);
          this.refill();
        } else if (kind === "input" && isLive) {
          this.type(this.sink.value);
        }
      });
    }
    this.sink.addEventListener("focus", () => this.refill());
  }

  private refill(): void {
    this.sink.value = filling;
    this.sink.setSelectionRange(filling.length, filling.length);
    this.seen = filling;
  }

  private type(content: string): void {
    const { erase, text } = difference(this.seen, content);
    this.seen = content;
    if (!this.client || !this.hasKeyboard) return;
    const keys = [...Array<number>(erase).fill(backspace), ...keysymsOf(text.slice(0, longest))];
    for (const keysym of keys) {
      this.client.sendKeyEvent(1, keysym);
      this.client.sendKeyEvent(0, keysym);
    }
    if (keys.length > 0) this.releaseHeld();
  }
}

/** On a Mac, Command does what Ctrl does on the desktop: copy, paste, save. */
function meant(keysym: number): number {
  return isApple && meta.includes(keysym) ? ctrl : keysym;
}

/** In full screen the desktop gets Escape, Alt+Tab and the Windows key too, where the browser can. */
export function takeAllKeysInFullScreen(): void {
  const { keyboard } = navigator as Navigator & { keyboard?: { lock?: () => Promise<void>; unlock?: () => void } };
  document.addEventListener("fullscreenchange", () => {
    if (document.fullscreenElement) void keyboard?.lock?.().catch(() => undefined);
    else keyboard?.unlock?.();
  });
}
