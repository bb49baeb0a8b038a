// The list of what is on its way to and from a desktop: it comes with the first
// file and goes by itself once all have arrived. Failures stay until it is closed.
import { copyOf, within } from "../page";
import { bytes, text } from "../text";

const restMs = 8000; // how long it stays when all is done
const redrawMs = 100; // a quick line brings a thousand blobs a second

type RowState = "running" | "done" | "held" | "failed"; // held: the person has not used what it offers

/** One file in the list. */
export class Transfer {
  readonly element = copyOf("transfer");
  state: RowState = "running";
  private readonly bar = within<HTMLProgressElement>(this.element, "bar");
  private readonly detail = within(this.element, "detail");
  private drawn = 0;
  private address = "";

  constructor(
    private readonly name: string,
    cancel: () => void,
    private readonly changed: (says: string) => void,
  ) {
    within(this.element, "name").textContent = name;
    this.bar.setAttribute("aria-label", name);
    const button = within(this.element, "cancel");
    button.setAttribute("aria-label", text("desktop.js.cancel-transfer", { file: name }));
    button.addEventListener("click", cancel);
  }

  /** done of total bytes; no total: nobody knows. */
  progress(done: number, total?: number): void {
    const now = performance.now();
    if (this.state !== "running" || now - this.drawn < redrawMs) return;
    this.drawn = now;
    if (total !== undefined) {
      this.bar.max = Math.max(1, total);
      this.bar.value = done;
    }
    this.detail.textContent = total === undefined
      ? bytes(done)
      : text("desktop.js.of-size", { done: bytes(done), total: bytes(total) });
  }

  /** What is said of it while nothing moves. */
  waits(words: string): void {
    this.bar.value = 0;
    this.detail.textContent = words;
  }

  /** It has arrived; offer is a link to it. */
  done(words: string, offer?: { blob: Blob; words: string; name?: string; held: boolean }): void {
    this.over(offer?.held ? "held" : "done", words);
    if (!offer) return;
    const link = within<HTMLAnchorElement>(this.element, "link");
    this.address = URL.createObjectURL(offer.blob);
    link.href = this.address;
    link.textContent = offer.words;
    if (offer.name === undefined) link.target = "_blank";
    else link.download = offer.name;
    link.hidden = false;
    link.addEventListener("click", () => {
      if (this.state === "held") this.over("done", words);
    });
  }

  failed(words: string): void {
    this.over("failed", words);
  }

  /** Follows its link, as the person may: a page can, where the browser lets it. */
  follow(): void {
    within<HTMLAnchorElement>(this.element, "link").click();
  }

  remove(): void {
    this.element.remove();
    // A tab that was just opened may still be reading it.
    if (this.address !== "") window.setTimeout(() => URL.revokeObjectURL(this.address), 60_000);
  }

  private over(state: RowState, words: string): void {
    this.state = state;
    this.element.dataset["state"] = state;
    this.detail.textContent = words;
    this.bar.hidden = true;
    this.changed(`${this.name}: ${words}`);
    within(this.element, "cancel").hidden = true;
  }
}

export class Transfers {
  private readonly list: HTMLElement;
  private rows: Transfer[] = [];
  private timer = 0;

  /** left is called when the person closes the list: the keyboard is free. */
  constructor(private readonly box: HTMLElement, private readonly left: () => void) {
    this.list = within(box, "transfers-list");
    within(box, "transfers-close").addEventListener("click", () => this.close());
    for (const kind of ["pointerleave", "focusout"]) box.addEventListener(kind, () => this.rest());
    window.addEventListener("beforeunload", (event) => {
      if (this.isRunning && box.isConnected) event.preventDefault(); // the browser asks
    });
  }

  /** Adds a file that is on its way. */
  add(name: string, cancel: () => void, says: string): Transfer {
    const row = new Transfer(name, cancel, (words) => {
      this.say(words);
      this.box.hidden = false;
      if (row.element.contains(document.activeElement)) within(this.box, "transfers-close").focus(); // its button goes
      this.rest();
    });
    this.rows.push(row);
    this.list.append(row.element);
    window.clearTimeout(this.timer); // set for the files before this one
    this.box.hidden = false;
    this.say(says);
    return row;
  }

  private get isRunning(): boolean {
    return this.rows.some((row) => row.state === "running");
  }

  /** Goes once all have arrived and nobody is reading it. */
  private rest(): void {
    window.clearTimeout(this.timer);
    if (this.rows.some((row) => row.state !== "done")) return;
    this.timer = window.setTimeout(() => {
      if (!this.box.matches(":hover, :focus-within")) this.close();
    }, restMs);
  }

  /** Files that are on their way go on, and show themselves again when they are over. */
  private close(): void {
    const hadFocus = this.box.contains(document.activeElement);
    this.box.hidden = true;
    if (hadFocus) this.left();
    for (const row of this.rows) if (row.state !== "running") row.remove();
    this.rows = this.rows.filter((row) => row.state === "running");
  }

  private say(words: string): void {
    within(this.box.parentElement ?? this.box, "transfers-said").textContent = words;
  }
}
