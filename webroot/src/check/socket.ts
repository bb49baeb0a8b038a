// A WebSocket like a desktop's, and how long it takes there and back.

/** blocked: it never opened; busy: the portal has too many of these. */
export type SocketState = "ok" | "blocked" | "cut" | "busy";

export interface Trips {
  state: SocketState;
  count: number;
  /** ms, of those that came back. */
  median: number;
  /** ms, the mean difference between one and the next. */
  jitter: number;
}

const wanted = 10;
const patience = 15_000; // the portal itself closes after 20 s
const tryAgainLater = 1013;

/** Makes ten round trips, one after the other. Never rejects. */
export function roundTrips(): Promise<Trips> {
  return new Promise((resolve) => {
    const times: number[] = [];
    let opened = false;
    let sent = 0;
    let socket: WebSocket;
    const over = (state: SocketState): void => {
      window.clearTimeout(timer);
      resolve({ state, count: times.length, median: median(times), jitter: jitter(times) });
      socket?.close();
    };
    const timer = window.setTimeout(() => over(opened ? "cut" : "blocked"), patience);
    const next = (): void => {
      sent = performance.now();
      socket.send(String(times.length + 1));
    };
    try {
      socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/check/socket`, "guacamole");
    } catch {
      over("blocked");
      return;
    }
    socket.addEventListener("open", () => {
      opened = true;
      next();
    });
    socket.addEventListener("message", (event) => {
      if (event.data !== String(times.length + 1)) return over("cut"); // not what was sent: somebody meddles
      times.push(performance.now() - sent);
      if (times.length === wanted) over("ok");
      else next();
    });
    socket.addEventListener("close", (event) => {
      over(event.code === tryAgainLater ? "busy" : opened ? "cut" : "blocked");
    });
  });
}

export function median(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value = sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return Math.min(60_000, Math.round(value ?? 0));
}

export function jitter(times: number[]): number {
  const steps = times.slice(1).map((time, i) => Math.abs(time - (times[i] ?? time)));
  const mean = steps.length === 0 ? 0 : steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return Math.min(60_000, Math.round(mean));
}
