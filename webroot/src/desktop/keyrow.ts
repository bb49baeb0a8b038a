// The keys that a phone's keyboard lacks, in a row above it. They act on the
// active desktop and leave the focus where it is.
import { part, within } from "../page";
import type { Pane } from "./pane";

const functionKey = 0xffbe; // F1

export class KeyRow {
  private readonly row = part("key-row");
  private readonly more = within(this.row, "functions");
  private readonly handle = part("key-row-handle");
  private pane: Pane | null = null;

  constructor() {
    for (let n = 1; n <= 12; n++) this.more.append(this.functionKey(n));
    this.row.addEventListener("pointerdown", (event) => event.preventDefault()); // or the phone's keyboard goes away
    this.row.addEventListener("click", (event) => this.press(event));
    this.handle.addEventListener("click", () => this.toggle());
    window.visualViewport?.addEventListener("resize", () => this.measure());
    new ResizeObserver(() => this.measure()).observe(this.row);
  }

  get isOpen(): boolean {
    return !this.row.hidden;
  }

  toggle(): void {
    this.row.hidden = !this.row.hidden;
    this.handle.setAttribute("aria-expanded", String(this.isOpen));
    this.pane?.input.usePhoneKeyboard(this.isOpen);
    this.measure();
    this.pane?.focus();
  }

  /** Acts on this pane from now on, and shows what is held there. */
  show(pane: Pane): void {
    this.pane = pane;
    pane.input.usePhoneKeyboard(this.isOpen);
    for (const key of this.row.querySelectorAll<HTMLElement>("[data-hold]")) {
      key.setAttribute("aria-pressed", String(pane.input.holds(Number(key.dataset["hold"]))));
    }
  }

  private press(event: Event): void {
    const key = (event.target as Element).closest<HTMLElement>("button");
    const input = this.pane?.input;
    if (!key || !input) return;
    const { key: keysym, hold } = key.dataset;
    if (hold) input.toggle(Number(hold));
    else if (keysym) input.send(Number(keysym));
    else this.unfold(key);
  }

  private unfold(key: HTMLElement): void {
    this.more.hidden = !this.more.hidden;
    key.setAttribute("aria-expanded", String(!this.more.hidden));
  }

  private functionKey(n: number): HTMLElement {
    const key = document.createElement("button");
    key.type = "button";
    key.dataset["key"] = String(functionKey + n - 1);
    key.textContent = `F${n}`;
    return key;
  }

  /** What the row and the phone's keyboard cover of the window: the picture stays clear of it. */
  private measure(): void {
    const view = window.visualViewport;
    const keyboard = view && view.scale === 1 ? Math.max(0, window.innerHeight - view.height - view.offsetTop) : 0;
    const covered = Math.round(keyboard + (this.isOpen ? this.row.offsetHeight : 0));
    const root = document.documentElement;
    root.dataset["covered"] = String(covered);
    root.style.setProperty("--keyboard", `${Math.round(keyboard)}px`);
    root.style.setProperty("--covered", `${covered}px`);
    this.pane?.followPointer();
  }
}
