// A small picture of the desktop for the list. The gateway keeps it in memory
// for as long as the session lasts, and hands it to this session only.
import type { Display } from "@glokon/guacamole-common-js";

const width = 320;
const height = 200;
const most = 24 * 1024; // bytes; the gateway takes no more
const firstMs = 4_000; // after the picture is there: a login screen is soon over
const everyMs = 30_000;
const restMs = 1_200; // between two pictures

export class Thumbnail {
  private last = "";
  private sentAt = 0;
  private timer = 0;
  private readonly stopping = new AbortController();

  /** address: where pictures go. display: what is shown now, null when there is no desktop. */
  constructor(
    private readonly address: string,
    private readonly display: () => Display | null,
  ) {
    // Before the page goes: a link is followed, the tab is hidden or closed.
    const { signal } = this.stopping;
    document.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a[href]")) this.send();
    }, { capture: true, signal });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.send();
      else this.plan(firstMs);
    }, { signal });
    window.addEventListener("pagehide", () => this.send(), { signal });
    this.plan(firstMs);
  }

  /** Sends no more. */
  stop(): void {
    this.stopping.abort();
    window.clearTimeout(this.timer);
  }

  private plan(inMs: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.send();
      this.plan(this.last === "" ? firstMs : everyMs);
    }, inMs);
  }

  /** Sends what is shown, if it has changed. Nothing waits for it: the page may be going. */
  private send(): void {
    if (Date.now() - this.sentAt < restMs) return;
    const picture = this.draw();
    if (picture === "" || picture === this.last) return;
    this.last = picture;
    this.sentAt = Date.now();
    const bytes = Uint8Array.from(atob(picture.slice(picture.indexOf(",") + 1)), (c) => c.charCodeAt(0));
    fetch(this.address, {
      method: "POST",
      headers: { "Content-Type": "image/jpeg" },
      body: bytes,
      keepalive: true,
      redirect: "error",
    }).catch(() => undefined); // the list shows an older one
  }

  /** The desktop as a JPEG in a data: address; "" when there is none, or none small enough. */
  private draw(): string {
    const display = this.display();
    const picture = display?.getDefaultLayer().getCanvas();
    if (!display || !picture || display.getWidth() === 0 || display.getHeight() === 0) return "";
    const small = document.createElement("canvas");
    const scale = Math.min(width / display.getWidth(), height / display.getHeight(), 1);
    small.width = Math.max(1, Math.round(display.getWidth() * scale));
    small.height = Math.max(1, Math.round(display.getHeight() * scale));
    const pen = small.getContext("2d");
    if (!pen) return "";
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, display.getWidth(), display.getHeight(), 0, 0, small.width, small.height);
    for (const quality of [0.6, 0.3]) { // a photograph on the screen takes more
      const address = small.toDataURL("image/jpeg", quality);
      if (address.length * 0.75 <= most) return address;
    }
    return "";
  }
}
