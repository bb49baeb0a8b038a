// The tools for the screen itself: size, keyboard layout, what a finger is, the
// second window, and how good the connection is.
import { within } from "../page";
import { text } from "../text";
import { choose, chosen, keyboards } from "./choices";
import type { Pane } from "./pane";
import type { Level } from "./quality";
import { viewOf } from "./scale";

const panStep = 120; // CSS pixels

export class ScreenTools {
  private readonly view: HTMLSelectElement;
  private readonly keyboard: HTMLSelectElement;
  private readonly touch: HTMLSelectElement;
  private readonly apply: HTMLElement;
  private pane: Pane | null = null;

  constructor(private readonly dialog: HTMLDialogElement, rows: { toggle: () => void }) {
    this.view = this.find("view");
    this.keyboard = this.find("keyboard");
    this.touch = this.find("touch");
    this.apply = this.find("keyboard-apply");
    this.nameKeyboards();
    this.view.addEventListener("change", () => {
      this.pane?.look(viewOf(this.view.value));
      this.showPan();
    });
    // Connecting again takes a moment: not at every arrow key in the list.
    this.keyboard.addEventListener("change", () => (this.apply.hidden = this.keyboard.value === chosen("keyboard")));
    this.apply.addEventListener("click", () => {
      choose("keyboard", this.keyboard.value);
      this.dialog.close();
      this.pane?.connectAnew();
    });
    this.touch.addEventListener("change", () => choose("touch", this.touch.value));
    this.find("second").addEventListener("click", () => {
      this.dialog.close();
      this.pane?.second.toggle();
    });
    this.find("key-row").addEventListener("click", () => {
      this.dialog.close();
      rows.toggle();
    });
    this.find("pan").addEventListener("click", (event) => {
      const { x = "", y = "" } = (event.target as Element).closest<HTMLElement>("button")?.dataset ?? {};
      this.pane?.pan(Number(x) * panStep, Number(y) * panStep);
    });
  }

  /** Shows how things are with this pane. */
  show(pane: Pane, isKeyRowOpen: boolean): void {
    this.pane = pane;
    const { target } = pane;
    this.find("keyboard-box").hidden = target.keyboard === "";
    this.find("second").hidden = target.resizes !== "live" || !pane.isConnected;
    this.find("second").setAttribute("aria-pressed", String(pane.second.isOpen));
    this.find("key-row").setAttribute("aria-pressed", String(isKeyRowOpen));
    this.keyboard.options[0]!.textContent = text("desktop.js.keyboard-own", { name: nameOf(target.keyboard) });
    this.keyboard.value = chosen("keyboard");
    this.apply.hidden = true;
    this.touch.value = chosen("touch") || "screen";
    this.showView(String(pane.view));
    this.showPan();
    this.showQuality(pane);
  }

  /** Shows the round trip as it is now. */
  showQuality(pane: Pane): void {
    const { level, roundTrip } = pane.quality;
    const line = this.find("quality");
    line.hidden = level === null || !pane.isConnected;
    if (level === null) return;
    line.dataset["level"] = level;
    this.find("quality-text").textContent = text("desktop.js.quality", { ms: roundTrip, level: wordOf(level) });
  }

  private showView(view: string): void {
    this.view.querySelector("[data-own]")?.remove();
    if (![...this.view.options].some(({ value }) => value === view)) {
      const own = new Option(`${view} %`, view); // two fingers know every size
      own.dataset["own"] = "";
      this.view.append(own);
    }
    this.view.value = view;
  }

  private showPan(): void {
    this.find("pan").hidden = !this.pane?.isLarger;
  }

  /** The layouts by the language that they are of, in the page's language. */
  private nameKeyboards(): void {
    const named = keyboards.map((id) => new Option(nameOf(id), id));
    named.sort((a, b) => Number(a.value === "failsafe") - Number(b.value === "failsafe") || a.text.localeCompare(b.text, document.documentElement.lang));
    this.keyboard.append(new Option("", ""), ...named);
  }

  private find<T extends HTMLElement>(name: string): T {
    return within<T>(this.dialog, name);
  }
}

/** "svenska (Sverige)" for sv-se-qwerty. */
function nameOf(layout: string): string {
  if (layout === "failsafe") return text("desktop.js.keyboard-any");
  const [language = "", place = ""] = layout.split("-");
  const tag = place === "latam" ? `${language}-419` : `${language}-${place.toUpperCase()}`;
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: "language", languageDisplay: "standard" }).of(tag) ?? layout;
  } catch {
    return layout;
  }
}

export function wordOf(level: Level): string {
  if (level === "good") return text("desktop.js.quality-good");
  return text(level === "fair" ? "desktop.js.quality-fair" : "desktop.js.quality-poor");
}
