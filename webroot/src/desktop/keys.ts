// Keyboard, mouse and touch on the picture. Keys go to the desktop only while
// the focus is in it; Ctrl+Alt+Shift gives the keyboard back to the page.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";

export const ctrl = 0xffe3;
export const alt = 0xffe9;
export const del = 0xffff;

const modifiers: [number, number][] = [[ctrl, 0xffe4], [alt, 0xffea], [0xffe1, 0xffe2]];

export class Input {
  private readonly keyboard: Guacamole.Keyboard;
  private readonly sink: HTMLTextAreaElement;
  private client: Guacamole.Client | null = null;

  constructor(
    private readonly frame: HTMLElement,
    private readonly released: () => void,
  ) {
    this.sink = within<HTMLTextAreaElement>(frame, "sink");
    this.sink.setAttribute("aria-label", frame.getAttribute("aria-label") ?? "");
    // What is composed and typed goes out as keys; nothing of it stays here.
    for (const kind of ["keypress", "compositionend", "input"]) {
      this.sink.addEventListener(kind, (event) => {
        if (!(event as InputEvent).isComposing) this.sink.value = "";
      });
    }
    this.keyboard = new Guacamole.Keyboard(frame);
    frame.addEventListener("focusin", () => this.grab());
    frame.addEventListener("focusout", () => this.letGo());
    frame.addEventListener("focus", () => this.sink.focus()); // composition needs a field
    window.addEventListener("blur", () => this.letGo());
    window.addEventListener("focus", () => {
      if (frame.contains(document.activeElement)) this.grab();
    });
  }

  /** Sends to this client from now on; null: to nobody. */
  attach(client: Guacamole.Client | null): void {
    this.letGo();
    this.client = client;
    this.frame.tabIndex = client ? 0 : -1; // without a desktop there is nothing to go to
    if (client) this.watchPointer(client);
  }

  /** Whether keys go to the desktop. */
  get hasKeyboard(): boolean {
    return this.client !== null && this.frame.contains(document.activeElement);
  }

  /** Gives the keyboard to the desktop. */
  focus(): void {
    if (document.querySelector("dialog:modal")) return;
    this.sink.focus();
  }

  /** Presses keys together and lets them go in reverse. */
  send(...keysyms: number[]): void {
    for (const keysym of keysyms) this.client?.sendKeyEvent(1, keysym);
    for (const keysym of keysyms.reverse()) this.client?.sendKeyEvent(0, keysym);
  }

  private grab(): void {
    if (!this.client) return;
    this.keyboard.onkeydown = (keysym) => {
      this.client?.sendKeyEvent(1, keysym);
      if (!this.asksForRelease()) return false;
      this.letGo();
      this.released();
      return false;
    };
    this.keyboard.onkeyup = (keysym) => this.client?.sendKeyEvent(0, keysym);
  }

  private letGo(): void {
    this.keyboard.reset(); // lets go of every key that the desktop holds for pressed
    this.keyboard.onkeydown = null;
    this.keyboard.onkeyup = null;
  }

  private asksForRelease(): boolean {
    return modifiers.every(([left, right]) => this.keyboard.pressed[left] || this.keyboard.pressed[right]);
  }

  private watchPointer(client: Guacamole.Client): void {
    const display = client.getDisplay();
    const element = display.getElement();
    const mouse = new Guacamole.Mouse(element);
    const touch = new Guacamole.Mouse.Touchscreen(element);
    for (const source of [mouse, touch]) {
      source.onEach(["mousedown", "mousemove", "mouseup"], (event) => {
        if (event.type === "mousedown") this.focus();
        client.sendMouseState((event as Guacamole.Mouse.Event).state, true);
      });
    }
    touch.onEach(["mousedown", "mousemove", "mouseup"], () => display.showCursor(true));
    mouse.on("mouseout", () => display.showCursor(false));
    display.oncursor = (canvas, x, y) => display.showCursor(!mouse.setCursor(canvas, x, y));
  }
}
