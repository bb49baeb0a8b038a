// The list by keyboard: arrows move through what is shown, as it lies on the
// screen; typing goes to the search; Enter there opens the first row.
import type { Search } from "./search";

const links = ".running:not([hidden]) a.button, .group:not([hidden]) li:not([hidden]) a.target";

export class Keyboard {
  constructor(private readonly search: Search | null) {
    document.addEventListener("keydown", (event) => this.key(event));
    // With a keyboard at hand the list begins in its search, as a launcher does.
    const begins = document.activeElement === document.body && window.location.hash === "";
    if (begins && window.matchMedia("(hover: hover) and (pointer: fine)").matches) search?.field.focus({ preventScroll: true });
  }

  private key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector("dialog[open]")) return;
    const at = event.target instanceof HTMLElement ? event.target : document.body;
    const searching = at === this.search?.field;
    if (!searching && at.matches("input, textarea, select")) return;
    if (this.act(event, at, searching)) event.preventDefault();
  }

  /** True when the key has been used. */
  private act(event: KeyboardEvent, at: HTMLElement, searching: boolean): boolean {
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        return this.vertical(at, event.key === "ArrowDown", searching);
      case "ArrowLeft":
      case "ArrowRight":
        return at.matches(links) && this.step(at, event.key === "ArrowRight" ? 1 : -1);
      case "Home":
      case "End":
        return at.matches(links) && this.go(this.shown().at(event.key === "Home" ? 0 : -1));
      case "Escape":
        if (!this.search || (this.search.field.value === "" && !at.matches(links))) return false;
        this.search.clear();
        return true;
      case "Enter":
        return searching && this.open();
    }
    return this.type(event, at);
  }

  private shown(): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>(links)];
  }

  private go(to: HTMLElement | undefined): boolean {
    to?.focus();
    to?.closest("li")?.scrollIntoView({ block: "nearest" });
    return to !== undefined;
  }

  private step(at: HTMLElement, by: number): boolean {
    const shown = this.shown();
    const to = shown.indexOf(at) + by;
    return to >= 0 && this.go(shown[to]);
  }

  /** To the row below or above: in the next line of the screen, the nearest one. */
  private vertical(at: HTMLElement, down: boolean, searching: boolean): boolean {
    const shown = this.shown();
    const from = at.closest("li")?.querySelector<HTMLElement>("a");
    if (searching || !from || !shown.includes(from)) {
      return down && (searching || at === document.body || at.id === "main") && this.go(shown[0]);
    }
    const here = from.getBoundingClientRect();
    let best: HTMLElement | undefined;
    let least = Infinity;
    for (const one of shown) {
      const box = one.getBoundingClientRect();
      const away = down ? box.top - here.bottom : here.top - box.bottom;
      if (away < -1) continue;
      const distance = away * 1000 + Math.abs(box.left - here.left);
      if (distance < least) [best, least] = [one, distance];
    }
    if (best) return this.go(best);
    if (down || !this.search) return false;
    this.search.field.focus();
    return true;
  }

  /** What somebody searched for and sees first. */
  private open(): boolean {
    if (!this.search || this.search.field.value.trim() === "") return true;
    document.querySelector<HTMLElement>(".rows:not([hidden]) li:not([hidden]) a.target")?.click();
    return true;
  }

  /**
   * A character typed in a row goes to the search; a slash only brings one there.
   * Elsewhere it does nothing: whoever dictates would set it off unawares (WCAG 2.1.4).
   */
  private type(event: KeyboardEvent, at: HTMLElement): boolean {
    if (!this.search || !at.matches(links) || event.key.length !== 1 || event.key === " ") return false;
    this.search.field.focus();
    this.search.field.select();
    return event.key === "/";
  }
}
