// Why a desktop ended or never came, in the person's words: from the Guacamole
// status and from guacd's own text (src/protocols/rdp/error.c and rdp.c).
import type { TextKey } from "../text";

export interface Cause {
  /** What the page says; the same key with ".text" is the second line. */
  key: TextKey;
  state: "closed" | "error";
  /** Connect again by itself, after a countdown. Never for a password. */
  reconnects?: boolean;
  /** Which way on the page offers beside going back. */
  offers?: "again" | "change-password" | "none";
  /** The helpdesk is the next step. */
  helpdesk?: boolean;
}

/** Where a status came from: guacd and the gateway by instruction, or the socket. */
export interface Fault {
  code: number;
  text: string;
  /** Nothing was heard from the gateway: the browser made the status up. */
  silent: boolean;
  /** The person had just answered the target's sign-in box. */
  answered?: boolean;
  /** The number under which helpdesk finds it. */
  supportId?: string;
}

type Say = "refused" | "expired" | "denied" | "identity" | "configuration" | "noAnswer" | "conflict" | "loggedOff"
  | "timedOut" | "ended" | "byHelpdesk" | "forbidden" | "tooMany" | "busy" | "upstream" | "network" | "broken";

const causes: Record<Say, Cause> = {
  refused: { key: "desktop.js.refused", state: "error" },
  expired: { key: "desktop.js.expired", state: "error", offers: "change-password" },
  denied: { key: "desktop.js.denied", state: "error", helpdesk: true },
  identity: { key: "desktop.js.identity", state: "error", offers: "none", helpdesk: true },
  configuration: { key: "desktop.js.configuration", state: "error", helpdesk: true },
  noAnswer: { key: "desktop.js.no-answer", state: "error" },
  conflict: { key: "desktop.js.conflict", state: "error" },
  loggedOff: { key: "desktop.js.logged-off", state: "closed" },
  timedOut: { key: "desktop.js.timed-out", state: "closed" },
  ended: { key: "desktop.js.ended", state: "closed" },
  byHelpdesk: { key: "desktop.js.ended-by-helpdesk", state: "closed", helpdesk: true },
  forbidden: { key: "desktop.js.forbidden", state: "error", offers: "none", helpdesk: true },
  tooMany: { key: "desktop.js.too-many", state: "error" },
  busy: { key: "desktop.js.busy", state: "error" },
  upstream: { key: "desktop.js.upstream", state: "error", reconnects: true },
  network: { key: "desktop.js.network", state: "error", reconnects: true },
  broken: { key: "desktop.js.broken", state: "error", helpdesk: true },
};

/** guacd's texts, most telling first. A text beats its status, which is often too coarse. */
const said: [RegExp, Say][] = [
  [/credentials expired|password .*(expired|must be changed)/i, "expired"],
  [/account (is )?(locked|disabled)|locked\/disabled|insufficient privileges|access denied/i, "denied"],
  [/authentication fail|invalid credentials|logon fail|login failed/i, "refused"],
  [/security negotiation|wrong security type/i, "configuration"],
  [/ssl\/tls|certificate|host ?key/i, "identity"],
  [/dns lookup|connection failed|unreachable|incorrect hostname|unable to connect/i, "noAnswer"],
  [/other connection|another (client|connection)/i, "conflict"],
  [/logged off|log ?off|manually disconnected|forcibly disconnected/i, "loggedOff"],
  [/time limit exceeded/i, "timedOut"],
  [/ended by helpdesk/i, "byHelpdesk"], // the gateway's
];

const byCode: Record<number, Say> = {
  0: "loggedOff",
  513: "busy",
  514: "noAnswer",
  517: "conflict",
  518: "upstream",
  519: "noAnswer",
  520: "upstream",
  521: "conflict",
  522: "timedOut",
  523: "ended",
  769: "refused",
  771: "forbidden",
  776: "network",
  797: "tooMany",
};

export function causeOf(fault: Fault): Cause {
  if (fault.silent) return causes.network;
  // guacd 1.3 says this of a refused password, where it has asked for one, and
  // of a port where nobody listens: both far more common than what it names.
  if (fault.code === 519 && /wrong security type/i.test(fault.text)) {
    return fault.answered ? causes.refused : causes.noAnswer;
  }
  const match = fault.code === 0 ? undefined : said.find(([pattern]) => pattern.test(fault.text));
  return causes[match?.[1] ?? byCode[fault.code] ?? "broken"];
}
