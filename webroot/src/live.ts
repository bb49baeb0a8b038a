// Helpdesk's list of open desktops stays up to date: every 5 s the cells of each
// row are brought in line. What somebody types, and where they are, is not touched.
import { part } from "./page";
import { text } from "./text";

type Row = Record<string, string> & { id: string; href: string };

const everyMs = 5000;

class Live {
  private readonly rows = part("rows");
  private readonly blank = part<HTMLTemplateElement>("row");

  start(): void {
    window.setInterval(() => {
      if (document.visibilityState === "visible") void this.ask();
    }, everyMs);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.ask();
    });
  }

  private async ask(): Promise<void> {
    const q = new URLSearchParams(window.location.search).get("q") ?? "";
    const asking = part("asking");
    try {
      const answer = await fetch(`/helpdesk/desktops/now?${new URLSearchParams({ q }).toString()}`, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { rows, all } = (await answer.json()) as { rows: Row[]; all: number };
      this.show(rows, all);
      if (asking.textContent !== "") asking.textContent = "";
    } catch {
      const words = text("live.js.asking-failed");
      if (asking.textContent !== words) asking.textContent = words; // said once
    }
  }

  private show(rows: Row[], all: number): void {
    const there = new Map([...this.rows.querySelectorAll<HTMLElement>("[data-desktop]")].map((row) => [row.dataset["desktop"] ?? "", row]));
    let before: Element | null = null;
    for (const row of rows) {
      let element = there.get(row.id);
      if (!element) {
        element = this.make(row);
        // After the one that it follows; nothing that is there is moved, which would take the focus.
        if (before) before.after(element);
        else this.rows.prepend(element);
      }
      there.delete(row.id);
      element.classList.remove("gone");
      this.fill(element, row);
      before = element;
    }
    for (const element of there.values()) this.goneFrom(element);
    const hidden = (id: string, isSo: boolean): void => void (part(id).hidden = isSo);
    hidden("none", all > 0);
    hidden("nothing", all === 0 || rows.length > 0);
    hidden("list", this.rows.childElementCount === 0);
  }

  private fill(element: HTMLElement, row: Row): void {
    for (const cell of element.querySelectorAll<HTMLElement>("[data-cell]")) {
      const words = row[cell.dataset["cell"] ?? ""] ?? "";
      if (cell.textContent !== words) cell.textContent = words;
    }
  }

  /** A row of the page's own making, with ids and addresses of its desktop. */
  private make(row: Row): HTMLElement {
    const blank = this.blank.content.querySelector("tr");
    if (!blank) throw new Error("the page has no blank row");
    const element = document.importNode(blank, true);
    element.dataset["desktop"] = row.id;
    for (const one of element.querySelectorAll<HTMLElement>("[id], [for], [action], [aria-describedby]")) {
      for (const name of ["id", "for", "action", "aria-describedby"]) {
        const value = one.getAttribute(name);
        if (value !== null) one.setAttribute(name, value.replace("NEW", row.id));
      }
    }
    const link = element.querySelector<HTMLAnchorElement>("a[data-cell]");
    if (link) link.href = row.href;
    const label = element.querySelector<HTMLElement>("summary .unseen");
    if (label) label.textContent = `: ${row["name"] ?? ""}, ${row["target"] ?? ""}`;
    if (row["own"]) element.querySelector("details")?.remove();
    return element;
  }

  /** A desktop that has closed goes from the list, unless somebody is writing there. */
  private goneFrom(element: HTMLElement): void {
    const inUse = element.contains(document.activeElement) || element.querySelector("details[open]") !== null;
    if (!inUse) {
      element.remove();
      return;
    }
    element.classList.add("gone");
    const state = element.querySelector<HTMLElement>('[data-cell="state"]');
    const words = text("live.js.closed");
    if (state && state.textContent !== words) state.textContent = words;
  }
}

new Live().start();
