// How good the connection is, from the time that a word to the portal and back
// takes. It is slow to change its mind: a sign that flickers tells nothing.

export type Level = "good" | "fair" | "poor";

const from: Record<"fair" | "poor", number> = { fair: 80, poor: 200 }; // milliseconds
const ease = 0.75; // of a limit, to be better again
const steadyMs = 4000;
const newest = 9; // measurements, of which the middle one counts

export class Quality {
  private readonly times: number[] = [];
  private now: Level | null = null;
  private next: Level | null = null;
  private nextSince = 0;

  /** Takes a measurement; true when the level is another one now. */
  measured(ms: number, at: number): boolean {
    this.times.push(Math.max(0, ms));
    if (this.times.length > newest) this.times.shift();
    const level = this.levelOf(this.roundTrip);
    if (level === this.now) {
      this.next = null;
      return false;
    }
    if (level !== this.next) [this.next, this.nextSince] = [level, at];
    if (this.now !== null && at - this.nextSince < steadyMs) return false;
    [this.now, this.next] = [level, null];
    return true;
  }

  /** Milliseconds; 0 before the first. */
  get roundTrip(): number {
    const sorted = [...this.times].sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
  }

  get level(): Level | null {
    return this.now;
  }

  private levelOf(ms: number): Level {
    if (ms >= from.poor * (this.now === "poor" ? ease : 1)) return "poor";
    const wasWorse = this.now === "fair" || this.now === "poor";
    return ms >= from.fair * (wasWorse ? ease : 1) ? "fair" : "good";
  }
}
