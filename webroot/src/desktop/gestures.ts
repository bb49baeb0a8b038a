// What fingers on the picture mean. It knows points and time only: what a tap
// or a drag does to the desktop is pointer.ts's.

export interface Point {
  x: number;
  y: number;
}

/** What the fingers have done. */
export interface Hand {
  /** A short touch, with one finger or two. */
  tap: (at: Point, fingers: number) => void;
  /** One finger has stayed where it is. */
  hold: (at: Point) => void;
  /** One finger has moved by this much. */
  move: (by: Point, from: Point) => void;
  /** A finger that tapped before, has come back and stays down. */
  drag: (phase: "down" | "move" | "up", at: Point, by: Point) => void;
  /** Two fingers have moved side by side. */
  scroll: (by: Point, from: Point) => void;
  /** Two fingers have moved apart (factor over 1) or together. */
  pinch: (factor: number, by: Point, at: Point) => void;
}

type State = "none" | "one" | "again" | "moving" | "dragging" | "two" | "scrolling" | "pinching" | "over";

const slack = 10; // CSS pixels that a resting finger moves
const apart = 24; // more than this between two fingers is a pinch
const holdMs = 500;
const againMs = 300; // a second tap
const againPixels = 32;

const none: Point = { x: 0, y: 0 };
const between = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const minus = (a: Point, b: Point): Point => ({ x: a.x - b.x, y: a.y - b.y });
const length = (a: Point): number => Math.hypot(a.x, a.y);

export class Gestures {
  private state: State = "none";
  private start: Point = none;
  private last: Point = none;
  private startSpread = 0;
  private spread = 0;
  private tapped: { at: Point; when: number } | null = null;
  private stopWaiting: () => void = () => undefined;

  /** later calls back after some time, and returns what calls that off. */
  constructor(
    private readonly hand: Hand,
    private readonly later: (act: () => void, ms: number) => () => void,
  ) {}

  /** The fingers that are down now; to be called at every change. */
  touch(fingers: readonly Point[], now: number): void {
    const [first, second] = fingers;
    if (!first) this.lifted(now);
    else if (second) this.two(first, second);
    else this.one(first, now);
  }

  /** The browser took the touch away. */
  cancel(): void {
    this.stopWaiting();
    if (this.state === "dragging") this.hand.drag("up", this.last, none);
    this.state = "none";
  }

  private one(at: Point, now: number): void {
    switch (this.state) {
      case "none":
        this.begin(at, now);
        return;
      case "one":
      case "again":
        if (length(minus(at, this.start)) < slack) return;
        this.stopWaiting();
        if (this.state === "one") this.state = "moving";
        else this.grip();
        break;
      case "scrolling":
      case "pinching":
        this.state = "over"; // the second finger left first
        return;
      case "two":
      case "over":
        return;
    }
    const by = minus(at, this.last);
    this.last = at;
    if (this.state === "moving") this.hand.move(by, this.start);
    else this.hand.drag("move", at, by);
  }

  private begin(at: Point, now: number): void {
    const { tapped } = this;
    const isAgain = tapped !== null && now - tapped.when < againMs && length(minus(at, tapped.at)) < againPixels;
    this.state = isAgain ? "again" : "one";
    this.start = isAgain ? tapped.at : at; // a double click is two clicks at one place
    this.last = at;
    this.stopWaiting = this.later(() => {
      if (this.state === "again") {
        this.grip();
      } else {
        this.state = "over";
        this.hand.hold(at);
      }
    }, holdMs);
  }

  private grip(): void {
    this.state = "dragging";
    this.hand.drag("down", this.start, none);
  }

  private two(first: Point, second: Point): void {
    const at = between(first, second);
    const spread = length(minus(first, second));
    if (this.state === "dragging") this.hand.drag("up", this.last, none);
    if (this.state !== "two" && this.state !== "scrolling" && this.state !== "pinching") {
      this.stopWaiting();
      this.state = this.state === "over" ? "over" : "two";
      [this.start, this.last, this.startSpread, this.spread] = [at, at, spread, spread];
      return;
    }
    if (this.state === "two") {
      if (Math.abs(spread - this.startSpread) > apart) this.state = "pinching";
      else if (length(minus(at, this.start)) > slack) this.state = "scrolling";
      else return;
    }
    const by = minus(at, this.last);
    if (this.state === "scrolling") this.hand.scroll(by, this.start);
    else this.hand.pinch(spread / Math.max(1, this.spread), by, at);
    [this.last, this.spread] = [at, spread];
  }

  private lifted(now: number): void {
    this.stopWaiting();
    const { state } = this;
    this.state = "none";
    if (state === "dragging") this.hand.drag("up", this.last, none);
    if (state === "two") this.hand.tap(this.start, 2);
    this.tapped = state === "one" ? { at: this.start, when: now } : null;
    if (state === "one" || state === "again") this.hand.tap(this.start, 1);
  }
}
