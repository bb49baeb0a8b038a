// Mouse and fingers on the picture.
import * as Guacamole from "@glokon/guacamole-common-js";
import { chosen } from "./choices";
import { Gestures, type Hand, type Point } from "./gestures";
import type { Picture } from "./picture";

const notch = 24; // CSS pixels of a finger for one step of the wheel

export class Pointer {
  private readonly state = new Guacamole.Mouse.State();
  private client: Guacamole.Client | null = null;
  private wheel = 0;

  constructor(
    frame: HTMLElement,
    private readonly picture: Picture,
    private readonly used: () => void,
  ) {
    const gestures = new Gestures(this.hand(), (act, ms) => {
      const timer = window.setTimeout(act, ms);
      return () => window.clearTimeout(timer);
    });
    const fingers = (event: TouchEvent): void => {
      if (!this.client) return;
      event.preventDefault(); // or the browser makes a mouse of it
      const points = [...event.touches].filter(({ target }) => frame.contains(target as Node)).map(({ clientX, clientY }) => ({ x: clientX, y: clientY }));
      gestures.touch(points, event.timeStamp);
    };
    for (const kind of ["touchstart", "touchmove", "touchend"] as const) {
      frame.addEventListener(kind, fingers, { passive: false });
    }
    frame.addEventListener("touchcancel", () => gestures.cancel());
    frame.addEventListener("mousemove", (event) => picture.leanTo(event.clientX, event.clientY));
    frame.addEventListener("mouseleave", () => picture.leanTo(NaN, NaN));
  }

  /** Sends to this client from now on; null: to nobody. */
  attach(client: Guacamole.Client | null): void {
    this.client = client;
    if (!client) return;
    const display = client.getDisplay();
    const mouse = new Guacamole.Mouse(display.getElement());
    mouse.onEach(["mousedown", "mousemove", "mouseup"], (event) => {
      if (event.type === "mousedown") this.used();
      const { state } = event as Guacamole.Mouse.Event;
      client.sendMouseState(state, true);
      [this.state.x, this.state.y] = [state.x / display.getScale(), state.y / display.getScale()];
    });
    mouse.on("mouseout", () => display.showCursor(false));
    display.oncursor = (canvas, x, y) => display.showCursor(!mouse.setCursor(canvas, x, y));
  }

  /** Keeps the pointer in sight, as when a phone's keyboard comes up. */
  follow(): void {
    this.picture.follow(this.state.x, this.state.y);
  }

  private get isPad(): boolean {
    return chosen("touch") === "pad";
  }

  private hand(): Hand {
    return {
      tap: (at, fingers) => this.click(fingers === 1 ? "left" : "right", at),
      hold: (at) => this.click("right", at),
      move: (by, from) => {
        if (this.isPad) this.push(by);
        else if (this.picture.isLarger) this.picture.pan(-by.x, -by.y);
        else this.roll(by.y, from);
      },
      drag: (phase, at, by) => {
        if (phase === "down") this.place(at);
        if (phase === "move") this.isPad ? this.push(by) : this.place(at);
        if (phase !== "move") this.button("left", phase === "down");
      },
      scroll: (by, from) => this.roll(by.y, from),
      pinch: (factor, by, at) => {
        this.picture.pan(-by.x, -by.y);
        this.picture.zoomBy(factor, at.x, at.y);
      },
    };
  }

  /** Brings the pointer to a finger; a pad's stays where it is. */
  private place(at: Point): void {
    if (this.isPad) return;
    const { x, y } = this.picture.pointAt(at.x, at.y);
    this.to(x, y);
  }

  /** Moves the pointer as on a touchpad: the faster, the farther. */
  private push(by: Point): void {
    const speed = Math.min(3, 1 + Math.hypot(by.x, by.y) / 16) / this.picture.scale;
    this.to(this.state.x + by.x * speed, this.state.y + by.y * speed);
  }

  private to(x: number, y: number): void {
    const { width, height } = this.picture.desktop;
    this.state.x = Math.min(Math.max(0, x), Math.max(0, width - 1));
    this.state.y = Math.min(Math.max(0, y), Math.max(0, height - 1));
    this.tell();
    this.picture.follow(this.state.x, this.state.y);
  }

  private click(button: "left" | "right", at: Point): void {
    this.used();
    this.place(at);
    this.button(button, true);
    this.button(button, false);
  }

  private button(button: "left" | "right" | "up" | "down", isDown: boolean): void {
    this.state[button] = isDown;
    this.tell();
  }

  /** Fingers that move down pull the page down: the wheel turns up. */
  private roll(by: number, at: Point): void {
    this.wheel += by;
    for (; Math.abs(this.wheel) >= notch; this.wheel -= Math.sign(this.wheel) * notch) {
      const button = this.wheel > 0 ? "up" : "down";
      this.place(at);
      this.button(button, true);
      this.button(button, false);
    }
  }

  private tell(): void {
    this.client?.getDisplay().showCursor(true);
    this.client?.sendMouseState(this.state, false);
  }
}
