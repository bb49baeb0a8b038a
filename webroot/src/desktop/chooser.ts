// Opens another desktop beside those that are open: a short way through the list.
import { part, within } from "../page";
import { text, type TextKey } from "../text";
import type { Target } from "./target";

export class Chooser {
  private readonly dialog = part<HTMLDialogElement>("chooser");
  private readonly filter = within<HTMLInputElement>(this.dialog, "filter");
  private readonly list = within(this.dialog, "list");
  private readonly empty = within(this.dialog, "empty");
  private targets: Target[] = [];
  private chosen: Target | null = null;
  private says: TextKey = "desktop.js.chooser-loading"; // where no row is

  constructor(choose: (target: Target) => void, left: () => void) {
    this.filter.addEventListener("input", () => this.show());
    within(this.dialog, "leave").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => {
      if (this.chosen) choose(this.chosen);
      else left();
    });
  }

  /** Offers the person's desktops but those with these ids. */
  async open(without: readonly string[]): Promise<void> {
    this.chosen = null;
    this.filter.value = "";
    this.targets = [];
    this.says = "desktop.js.chooser-loading";
    this.show();
    this.dialog.showModal();
    try {
      const answer = await fetch("/desktops", {
        headers: { Accept: "application/json" }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000),
      });
      const { desktops } = (await answer.json()) as { desktops: Target[] };
      this.targets = desktops.filter((target) => !without.includes(target.id));
      this.says = "desktop.js.chooser-none";
    } catch {
      this.says = "desktop.js.chooser-failed";
    }
    this.show();
  }

  private show(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const found = this.targets.filter(({ name, group }) => `${name} ${group}`.toLowerCase().includes(wanted));
    this.empty.hidden = found.length > 0;
    this.empty.textContent = text(this.says);
    this.list.replaceChildren(...found.map((target) => this.row(target)));
  }

  private row(target: Target): HTMLElement {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tool";
    button.textContent = target.name;
    button.addEventListener("click", () => {
      this.chosen = target;
      this.dialog.close();
    });
    row.append(button);
    return row;
  }
}
