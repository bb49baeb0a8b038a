// A small sign on the picture while the connection is poor, and a word to screen
// readers when it changes, twice a minute at most.
import { within } from "../page";
import { text } from "../text";
import type { Level } from "./quality";
import { wordOf } from "./screentools";

const sayAtMostEveryMs = 30_000;

export class QualitySign {
  private saidAt = -Infinity;

  constructor(private readonly sign: HTMLElement) {}

  /** Shows the round trip where it is poor; null: there is no connection. */
  show(level: Level | null, roundTrip: number): void {
    within(this.sign, "quality-sign-box").hidden = level !== "poor";
    if (level === "poor") within(this.sign, "quality-sign-text").textContent = text("desktop.js.round-trip", { ms: roundTrip });
  }

  announce(level: Level | null): void {
    const isFirst = this.saidAt === -Infinity;
    if (level === null || (isFirst && level !== "poor") || Date.now() - this.saidAt < sayAtMostEveryMs) return;
    this.saidAt = Date.now();
    within(this.sign, "quality-sign-said").textContent = text("desktop.js.quality-said", { level: wordOf(level) });
  }
}
