// The picture: scaled to the window, and the desktop asked to have its size.
import type * as Guacamole from "@glokon/guacamole-common-js";

const settleMs = 250; // a window that is being dragged asks once, when it rests

export interface Size {
  width: number;
  height: number;
}

export class Picture {
  private client: Guacamole.Client | null = null;
  private last: HTMLElement | null = null; // the picture of a connection that was lost
  private timer = 0;
  private asked = "";

  constructor(private readonly frame: HTMLElement) {
    new ResizeObserver(() => {
      this.fit();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.ask(), settleMs);
    }).observe(frame);
  }

  /** The size that the desktop should have, in CSS pixels. */
  size(): Size {
    const { clientWidth, clientHeight } = this.frame;
    return { width: Math.max(320, clientWidth), height: Math.max(240, clientHeight) };
  }

  /** Shows a client's display; rendered is called when it has a size. */
  attach(client: Guacamole.Client, rendered: () => void): void {
    if (!this.last) this.remove();
    this.client = client;
    const { width, height } = this.size();
    this.asked = `${width}x${height}`;
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

  /** Asks for the window's size if the desktop was not yet told. */
  ask(): void {
    const { width, height } = this.size();
    if (!this.client || this.asked === `${width}x${height}`) return;
    this.asked = `${width}x${height}`;
    this.client.sendSize(width, height);
  }

  private fit(): void {
    const display = this.client?.getDisplay();
    if (!display || display.getWidth() === 0 || display.getHeight() === 0) return;
    const { clientWidth, clientHeight } = this.frame;
    display.scale(Math.min(clientWidth / display.getWidth(), clientHeight / display.getHeight()));
  }
}
