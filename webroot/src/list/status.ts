// Which targets answer, beside those that are in view, and what has become of
// the desktops on top. Asked while the page is looked at, never in between.
import { text } from "../text";

/** What GET /targets/status answers. */
interface Answer {
  targets: Record<string, "up" | "down" | "yours">;
  running: Record<string, "shown" | "held">;
  waiting: boolean;
}

const everyMs = 30_000;
const soonMs = 1_000;
const settleMs = 250; // after scrolling or searching
const mostAtOnce = 100; // the gateway answers for no more
const words = { up: "targets.js.up", down: "targets.js.down", yours: "targets.js.yours" } as const;

export class Status {
  private readonly inView = new Map<Element, string>();
  private readonly known = new Set<string>();
  private timer = 0;
  private asking = false;
  private readonly watch = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "100px" });

  start(): void {
    for (const row of document.querySelectorAll<HTMLElement>('.rows .target[data-kind="desktop"]')) this.watch.observe(row);
    document.addEventListener("visibilitychange", () => this.plan(settleMs));
    this.plan(settleMs);
  }

  private seen(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.inView.set(target, (target as HTMLElement).dataset["target"] ?? "");
      else this.inView.delete(target);
    }
    if ([...this.inView.values()].some((id) => !this.known.has(id))) this.plan(settleMs);
  }

  private plan(inMs: number): void {
    window.clearTimeout(this.timer);
    if (document.visibilityState === "visible") this.timer = window.setTimeout(() => void this.ask(), inMs);
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    let next = everyMs;
    try {
      // Those that nothing is known of come first.
      const ids = [...this.inView.values()].sort((a, b) => Number(this.known.has(a)) - Number(this.known.has(b)));
      const asked = ids.slice(0, mostAtOnce);
      const query = new URLSearchParams(asked.map((id) => ["target", id]));
      const answer = await fetch(`/targets/status?${query}`, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      if (!answer.ok) return; // the session is over: the idle clock says so
      const status = (await answer.json()) as Answer;
      if (!status.waiting) for (const id of asked) this.known.add(id);
      this.show(status);
      if (status.waiting || [...this.inView.values()].some((id) => !this.known.has(id))) next = soonMs;
    } catch {
      // No answer: what is shown stays, and is asked for again.
    } finally {
      this.asking = false;
      this.plan(next);
    }
  }

  private show(status: Answer): void {
    for (const [id, state] of Object.entries(status.targets)) {
      for (const row of document.querySelectorAll(`.rows .target[data-target="${CSS.escape(id)}"]`)) mark(row, state);
    }
    for (const card of document.querySelectorAll<HTMLElement>("[data-desktop]")) {
      const state = status.running[card.dataset["desktop"] ?? ""];
      if (state) card.dataset["state"] = state;
      else if (!card.contains(document.activeElement)) card.remove(); // it is over
    }
    const running = document.querySelector(".running");
    if (running && !running.querySelector("li")) running.remove();
  }
}

function mark(row: Element, state: keyof typeof words): void {
  let note = row.querySelector<HTMLElement>(".state");
  if (!note) {
    note = document.createElement("span");
    row.querySelector(".words")?.append(note);
  }
  note.className = `state ${state}`;
  note.textContent = text(words[state]);
}
