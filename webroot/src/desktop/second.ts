// A second window for one desktop: guacd (1.3 and 1.6) knows one monitor, so the
// desktop becomes as wide as both windows together, and the second shows what is
// to the right of the first. Its page has no script: all is done from here.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { text } from "../text";
import { Input } from "./keys";
import type { Picture } from "./picture";
import type { Target } from "./target";
import type { Whisper } from "./whisper";

const loadMs = 15_000;

export class SecondWindow {
  private other: Window | null = null;
  private canvas: HTMLCanvasElement | null = null;
  private input: Input | null = null;
  private client: Guacamole.Client | null = null;
  private frameDue = false;

  constructor(
    private readonly frame: HTMLElement, // of the first window
    private readonly target: Target,
    private readonly picture: Picture,
    private readonly whisper: Whisper,
    private readonly host: { released: () => void; changed: () => void },
  ) {}

  get isOpen(): boolean {
    return this.other !== null;
  }

  /** Opens it, or closes it; to be called in the person's click. */
  toggle(): void {
    if (this.other) {
      this.close();
      return;
    }
    const { availWidth, availHeight } = window.screen;
    const other = window.open(`/desktop/${encodeURIComponent(this.target.id)}/second`, `second-${this.target.id}`,
      `popup,left=${availWidth},top=0,width=${availWidth},height=${availHeight}`);
    if (!other) {
      this.whisper.say(text("desktop.js.second-blocked"));
      return;
    }
    this.other = other;
    this.awaitPage(other, Date.now() + loadMs);
    this.host.changed();
  }

  /** The desktop that it shows a part of; null: there is none, and it closes. */
  attach(client: Guacamole.Client | null): void {
    this.client = client;
    if (!client) {
      this.close();
      return;
    }
    const display = client.getDisplay();
    display.statisticWindow = 1000; // without it nobody is told of a frame
    display.onstatistics = () => this.drawSoon();
  }

  /** Takes the keyboard away, for a question in the first window. */
  letGo(): void {
    this.input?.attach(null);
    const note = this.other && this.canvas?.ownerDocument.querySelector<HTMLElement>('[data-part="note"]');
    if (note) {
      note.textContent = text("desktop.js.second-asked");
      note.hidden = false;
    }
  }

  /** Says that helpdesk's words stand in the first window; the keyboard stays here. */
  point(isSo: boolean): void {
    const note = this.canvas?.ownerDocument.querySelector<HTMLElement>('[data-part="note"]');
    if (!note) return;
    note.textContent = isSo ? text("desktop.js.message-second") : "";
    note.hidden = !isSo;
  }

  /** Gives the keyboard back after a question. */
  takeUp(): void {
    if (!this.canvas) return;
    within(this.canvas.ownerDocument, "note").hidden = true;
    this.input?.attach(this.client);
  }

  close(): void {
    const { other } = this;
    if (!other) return;
    this.other = null;
    this.canvas = null;
    this.input?.attach(null);
    this.input = null;
    this.picture.widen(null);
    other.close();
    this.host.changed();
  }

  /** Waits for the page: no event tells of another window's document. */
  private awaitPage(other: Window, until: number): void {
    if (this.other !== other) return;
    if (other.closed || Date.now() > until) {
      this.close();
    } else if (other.document.readyState === "complete" && other.location.pathname.endsWith("/second")) {
      this.begin(other);
    } else {
      window.setTimeout(() => this.awaitPage(other, until), 50);
    }
  }

  private begin(other: Window): void {
    const frame = within(other.document, "display");
    frame.setAttribute("aria-label", text("desktop.js.second-region", { target: this.target.name }));
    this.canvas = other.document.createElement("canvas");
    frame.prepend(this.canvas);
    this.input = new Input(frame, () => {
      window.focus();
      this.host.released();
    });
    this.takeUp();
    this.watchMouse(this.canvas, this.input);
    other.addEventListener("resize", () => this.measure());
    other.addEventListener("pagehide", () => this.close());
    this.measure();
    this.input.focus();
    other.focus();
  }

  private measure(): void {
    if (!this.other || !this.canvas) return;
    const { innerWidth: width, innerHeight: height } = this.other;
    [this.canvas.width, this.canvas.height] = [width, height];
    this.picture.widen({ width, height });
    this.drawSoon();
  }

  private watchMouse(canvas: HTMLCanvasElement, input: Input): void {
    const mouse = new Guacamole.Mouse(canvas);
    mouse.onEach(["mousedown", "mousemove", "mouseup"], (event) => {
      if (event.type === "mousedown") input.focus();
      const { state } = event as Guacamole.Mouse.Event;
      const there = new Guacamole.Mouse.State(state);
      there.x = (state.x + this.frame.clientWidth) / this.picture.scale;
      there.y = state.y / this.picture.scale;
      this.client?.sendMouseState(there, false);
      canvas.style.cursor = this.client?.getDisplay().getElement().style.cursor ?? "";
    });
  }

  private drawSoon(): void {
    if (this.frameDue || !this.other) return;
    this.frameDue = true;
    this.other.requestAnimationFrame(() => {
      this.frameDue = false;
      this.draw();
    });
  }

  private draw(): void {
    const display = this.client?.getDisplay();
    const context = this.canvas?.getContext("2d", { alpha: false });
    if (!display || !context || !this.canvas) return;
    const { width, height } = this.canvas;
    const { scale } = this.picture;
    context.clearRect(0, 0, width, height);
    context.drawImage(display.getDefaultLayer().getCanvas(), this.frame.clientWidth / scale, 0, width / scale, height / scale, 0, 0, width, height);
  }
}
