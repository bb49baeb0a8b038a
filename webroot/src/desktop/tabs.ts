// The tabs of the desktops that are open: at the upper edge, and, while the
// tools are open, in them. With one desktop there are none.
import { copyOf, within } from "../page";
import { text } from "../text";
import type { Pane } from "./pane";

export class Tabs {
  constructor(
    private readonly list: HTMLElement,
    private readonly go: (pane: Pane) => void,
    private readonly close: (pane: Pane) => void,
  ) {}

  show(panes: readonly Pane[], active: Pane): void {
    const focused = this.list.contains(document.activeElement);
    this.list.hidden = panes.length < 2;
    this.list.replaceChildren(...panes.map((pane) => this.tab(pane, pane === active)));
    if (focused) this.list.querySelector<HTMLElement>("[aria-current]")?.focus();
  }

  private tab(pane: Pane, isActive: boolean): HTMLElement {
    const tab = copyOf("tab");
    const go = within<HTMLButtonElement>(tab, "go");
    go.textContent = pane.target.name;
    if (isActive) go.setAttribute("aria-current", "true");
    tab.classList.toggle("lost", !pane.isConnected);
    go.addEventListener("click", () => this.go(pane));
    const close = within<HTMLButtonElement>(tab, "close");
    close.setAttribute("aria-label", text("desktop.js.close-tab", { target: pane.target.name }));
    close.addEventListener("click", () => this.close(pane));
    return tab;
  }
}
