// The picture: shown in its frame at the scale that the person wants, and the
// desktop asked to have the size for it.
import type * as Guacamole from "@glokon/guacamole-common-js";
import { leastZoom, mostZoom, scaleOf, wanted, type Size, type View } from "./scale";

const settleMs = 250; // a window that is being dragged asks once, when it rests
const edge = 32; // CSS pixels from the frame's edge where the pointer pulls the picture

/** What the picture is told by its pane. */
export interface Frame {
  /** The desktop takes the size of its window. */
  resizes: boolean;
  view: View;
  /** The view was changed by fingers. */
  viewed: (view: View) => void;
}

export class Picture {
  private client: Guacamole.Client | null = null;
  private last: HTMLElement | null = null; // the picture of a connection that was lost
  private timer = 0;
  private asked: Size | null = null;
  private view: View;
  private beside: Size | null = null; // the second window
  private lean = { x: 0, y: 0 }; // CSS pixels a frame, while the pointer pulls
  private leaning = 0;
  private ratio: MediaQueryList | null = null; // kept, or it is collected with its listener

  constructor(private readonly frame: HTMLElement, private readonly is: Frame) {
    this.view = is.view;
    new ResizeObserver(() => this.changed()).observe(frame);
    this.watchRatio();
  }

  /** The size that the desktop should have, in its own pixels. */
  size(): Size {
    return wanted(this.room(), this.beside ? "fit" : this.view, window.devicePixelRatio);
  }

  /** Its size now; zero while there is none. */
  get desktop(): Size {
    const display = this.client?.getDisplay();
    return { width: display?.getWidth() ?? 0, height: display?.getHeight() ?? 0 };
  }

  get scale(): number {
    return this.client?.getDisplay().getScale() ?? 1;
  }

  /** There is more of it than the frame shows. */
  get isLarger(): boolean {
    const { frame } = this;
    if (this.beside) return false; // the rest is in the second window
    return frame.scrollWidth > frame.clientWidth + 1 || frame.scrollHeight > frame.clientHeight + 1;
  }

  /** Shows a client's display; rendered is called when it has a size. */
  attach(client: Guacamole.Client, rendered: () => void): void {
    if (!this.last) this.remove();
    this.client = client;
    this.asked = this.size();
    const display = client.getDisplay();
    display.onresize = () => {
      this.fit();
      rendered();
    };
    display.getElement().classList.toggle("coming", this.last !== null);
    this.frame.prepend(display.getElement());
  }

  /** The whole picture has come: it takes the place of the one before. */
  reveal(): void {
    this.client?.getDisplay().getElement().classList.remove("coming");
    this.last?.remove();
    this.last = null;
  }

  /** Leaves the picture as it is, faded, until the desktop has come back. */
  fade(): void {
    const picture = this.client?.getDisplay().getElement();
    if (picture?.classList.contains("coming")) {
      picture.remove(); // the one before stays
    } else {
      this.last = picture ?? null;
      this.last?.classList.add("faded");
    }
    this.client = null;
  }

  remove(): void {
    this.client?.getDisplay().getElement().remove();
    this.client = null;
    this.last?.remove();
    this.last = null;
  }

  /** Asks for the size that is wanted if the desktop was not yet told. */
  ask(): void {
    const size = this.size();
    if (!this.client || !this.is.resizes) return;
    if (this.asked?.width === size.width && this.asked.height === size.height) return;
    this.asked = size;
    this.client.sendSize(size.width, size.height);
  }

  /** Shows it in another way. */
  look(view: View): void {
    this.view = view;
    this.changed();
  }

  /** Makes the desktop as wide as this window and another together; null: this one alone. */
  widen(beside: Size | null): void {
    this.beside = beside;
    this.changed();
  }

  /** Zooms about a point of the window, as a pinch does. */
  zoomBy(factor: number, x: number, y: number): void {
    const display = this.client?.getDisplay();
    if (!display || this.beside) return;
    const to = Math.round(Math.min(mostZoom, Math.max(leastZoom, this.scale * factor * 100)));
    const { x: atX, y: atY } = this.pointAt(x, y);
    this.view = this.is.resizes && Math.abs(to - 100) < 3 ? "fit" : to;
    this.changed();
    const now = this.whereIs(atX, atY);
    this.pan(now.x - x, now.y - y);
    this.is.viewed(this.view);
  }

  /** Moves what is seen by this many CSS pixels. */
  pan(x: number, y: number): void {
    this.frame.scrollBy({ left: x, top: y, behavior: "instant" });
  }

  /** The desktop's point under a point of the window. */
  pointAt(x: number, y: number): { x: number; y: number } {
    const box = this.box();
    return { x: (x - box.left) / this.scale, y: (y - box.top) / this.scale };
  }

  /** Moves what is seen so that a point of the desktop is in it. */
  follow(x: number, y: number): void {
    if (!this.isLarger) return;
    const at = this.whereIs(x, y);
    const box = this.frame.getBoundingClientRect();
    const beyond = (where: number, from: number, to: number): number => Math.min(0, where - from - edge) + Math.max(0, where - to + edge);
    this.pan(beyond(at.x, box.left, box.left + this.frame.clientWidth), beyond(at.y, box.top, box.top + this.frame.clientHeight));
  }

  /** The mouse is here: near an edge it pulls the picture along. */
  leanTo(x: number, y: number): void {
    const box = this.frame.getBoundingClientRect();
    const pull = (from: number, to: number): number => (from < edge ? from - edge : to < edge ? edge - to : 0);
    this.lean = this.isLarger && !this.beside && !Number.isNaN(x)
      ? { x: pull(x - box.left, box.right - x) / 2, y: pull(y - box.top, box.bottom - y) / 2 }
      : { x: 0, y: 0 };
    if (this.leaning === 0 && (this.lean.x !== 0 || this.lean.y !== 0)) this.leaning = requestAnimationFrame(() => this.pull());
  }

  private pull(): void {
    this.leaning = 0;
    if (this.lean.x === 0 && this.lean.y === 0) return;
    this.pan(this.lean.x, this.lean.y);
    this.leaning = requestAnimationFrame(() => this.pull());
  }

  private changed(): void {
    this.fit();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), settleMs);
  }

  /** The frame as it is without a keyboard over it, and with the second window. */
  private room(): Size {
    const { clientWidth, clientHeight } = this.frame;
    const covered = Number(document.documentElement.dataset["covered"] ?? 0);
    const { width, height } = this.beside ?? { width: 0, height: 0 };
    return { width: clientWidth + width, height: Math.max(clientHeight + covered, height) };
  }

  private fit(): void {
    const display = this.client?.getDisplay();
    if (!display || display.getWidth() === 0 || display.getHeight() === 0) return;
    const asked = this.is.resizes ? this.asked : null;
    const scale = scaleOf(this.room(), this.desktop, asked, this.beside ? "fit" : this.view, window.devicePixelRatio);
    display.scale(scale);
    if (this.beside) this.frame.scrollTo(0, 0);
  }

  private box(): DOMRect {
    return (this.client?.getDisplay().getElement() ?? this.frame).getBoundingClientRect();
  }

  private whereIs(x: number, y: number): { x: number; y: number } {
    const box = this.box();
    return { x: box.left + x * this.scale, y: box.top + y * this.scale };
  }

  /** Another screen, or the browser's own zoom, has other pixels. */
  private watchRatio(): void {
    let seen = window.devicePixelRatio;
    const look = (): void => {
      if (window.devicePixelRatio === seen) return;
      seen = window.devicePixelRatio;
      this.changed();
      listen();
    };
    // The question has a number in it: after each change it is another one.
    const listen = (): void => {
      this.ratio?.removeEventListener("change", look);
      this.ratio = matchMedia(`(resolution: ${seen}dppx)`);
      this.ratio.addEventListener("change", look);
    };
    listen();
    window.addEventListener("resize", look);
  }
}
