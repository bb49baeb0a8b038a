// The desktop page: one remote desktop in the whole window, or several, in tabs
// or side by side. This file keeps the panes; what is in one is in pane.ts, and
// what is above them in tools.ts.
import { AudioContextFactory } from "@glokon/guacamole-common-js";
import { Chooser } from "./desktop/chooser";
import { takeAllKeysInFullScreen } from "./desktop/keys";
import { Messages } from "./desktop/message";
import { Pane } from "./desktop/pane";
import { Tabs } from "./desktop/tabs";
import type { Target } from "./desktop/target";
import { Tools } from "./desktop/tools";
import { startIdleClock } from "./idle";
import { part } from "./page";

const mostPanes = 4; // in one window; a session may have eight desktops

class Desktops {
  private readonly board = part("panes");
  private readonly portal = document.body.dataset["portal"] ?? "";
  private readonly panes: Pane[] = [];
  private active: Pane | null = null;
  private sideBySide = false;
  private readonly checkSession = startIdleClock({
    place: () => this.panes.map((pane) => pane.target.id).join(","),
    onOpen: () => this.panes.forEach((pane) => pane.second.letGo()),
    onClose: () => {
      this.panes.forEach((pane) => pane.second.takeUp());
      this.active?.focus();
    },
  });
  private readonly tools = new Tools({
    closed: () => this.active?.focus(),
    add: () => void this.chooser.open(this.panes.map((pane) => pane.target.id)),
    turn: () => this.lay(!this.sideBySide),
  });
  private readonly tabs = new Tabs(part("tabs"), (pane) => this.show(pane), (pane) => this.close(pane));
  private readonly messages = new Messages({
    opened: () => this.panes.forEach((pane) => pane.second.point(true)),
    closed: () => {
      this.panes.forEach((pane) => pane.second.point(false));
      this.active?.focus();
    },
  });
  private readonly chooser = new Chooser((target) => this.open(target), () => this.active?.focus());

  start(): void {
    // The gateway holds desktops that are left for a while: the list leads back to them.
    window.addEventListener("pagehide", () => this.panes.forEach((pane) => pane.leave()));
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.panes.forEach((pane) => pane.connect());
    });
    takeAllKeysInFullScreen();
    // Without this a dropped file replaces the page, wherever it is allowed.
    for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
    // Browsers play sound only after the person has done something.
    for (const kind of ["pointerdown", "keydown"]) {
      window.addEventListener(kind, () => {
        if (this.panes.some((pane) => pane.target.audio)) void AudioContextFactory.getAudioContext()?.resume();
      }, { capture: true });
    }
    const targets = JSON.parse(document.body.dataset["desktops"] ?? "[]") as Target[];
    for (const target of targets) this.open(target);
    const [first] = this.panes;
    if (first) this.show(first);
  }

  /** Opens a target beside those that are open, and goes to it. */
  private open(target: Target): void {
    const there = this.panes.find((pane) => pane.target.id === target.id);
    if (there || this.panes.length >= mostPanes) {
      this.show(there ?? this.active);
      return;
    }
    const pane = new Pane(target, {
      entered: (entered) => this.activate(entered),
      released: () => {
        if (!this.messages.focus()) this.tools.open();
      },
      closed: (unwanted) => this.close(unwanted),
      changed: () => this.refresh(),
      measured: (measured) => this.tools.measured(measured),
      told: (id, words, shown) => this.messages.say(id, words, shown),
      isTold: () => this.messages.hasFocus,
      checkSession: () => void this.checkSession(),
    });
    this.panes.push(pane);
    this.board.append(pane.element);
    this.show(pane);
    pane.connect();
  }

  private close(pane: Pane): void {
    if (this.panes.length === 1) {
      window.location.assign("/");
      return;
    }
    const at = this.panes.indexOf(pane);
    pane.drop();
    pane.element.remove();
    this.panes.splice(at, 1);
    if (this.active === pane) this.show(this.panes[Math.max(0, at - 1)] ?? null);
    else this.refresh();
  }

  /** Goes to a pane, which gets the keyboard. */
  private show(pane: Pane | null): void {
    if (!pane) return;
    this.activate(pane);
    this.tools.close();
    pane.focus();
  }

  private activate(pane: Pane): void {
    if (this.active === pane) return;
    this.active = pane;
    this.refresh();
  }

  private lay(sideBySide: boolean): void {
    this.sideBySide = sideBySide;
    this.refresh();
  }

  /** Brings the page into line with what is open and active. */
  private refresh(): void {
    const { active, panes } = this;
    if (!active) return;
    const several = panes.length > 1;
    this.board.dataset["layout"] = several && this.sideBySide ? "side-by-side" : "one";
    this.board.dataset["panes"] = String(panes.length);
    for (const pane of panes) {
      pane.element.classList.toggle("active", pane === active);
      pane.amongOthers(several);
    }
    document.title = `${active.target.name} – ${this.portal}`;
    part("title").textContent = active.target.name;
    this.tabs.show(panes, active);
    this.tools.show(active, { several, full: panes.length >= mostPanes, sideBySide: this.sideBySide });
    // A reload, and a bookmark, open the same desktops again.
    const [first, ...others] = panes.map((pane) => encodeURIComponent(pane.target.id));
    const query = others.length > 0 ? `?with=${others.join(",")}` : "";
    window.history.replaceState(null, "", `/desktop/${first}${query}`);
  }
}

new Desktops().start();
