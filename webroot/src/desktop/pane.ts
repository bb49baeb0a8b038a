// One remote desktop in its frame: the picture, what is said about it, and the
// way in. Several may be on the page; the tools act on the active one.
import { copyOf, within } from "../page";
import { offerToShowPasswords } from "../reveal";
import { text } from "../text";
import { causeOf, type Fault } from "./cause";
import { choose, chosen } from "./choices";
import { Clipboard } from "./clipboard";
import { Connection } from "./connection";
import { Files } from "./files";
import { Input } from "./keys";
import { Microphone } from "./microphone";
import { Picture } from "./picture";
import { Pointer } from "./pointer";
import { Quality } from "./quality";
import { QualitySign } from "./qualitysign";
import { viewOf, type View } from "./scale";
import { saveScreenshot } from "./screenshot";
import { SecondWindow } from "./second";
import { SignIn } from "./signin";
import { Sound } from "./sound";
import { StatusCard } from "./status";
import { thumbnailOf, tunnelOf, type Target } from "./target";
import { Thumbnail } from "./thumbnail";
import { Whisper } from "./whisper";

/** What a pane asks of the page that it is on. */
export interface Host {
  /** The person has gone into this pane. */
  entered: (pane: Pane) => void;
  /** The person wants the keyboard back, and the tools. */
  released: () => void;
  /** The pane is no longer wanted. */
  closed: (pane: Pane) => void;
  /** Something of it has changed that the tools show. */
  changed: () => void;
  /** The round trip has been measured again. */
  measured: (pane: Pane) => void;
  /** Helpdesk's words have the focus, which nothing else takes until they are read. */
  isTold: () => boolean;
  /** Helpdesk says something to the person. */
  told: (id: string, words: string, shown: () => void) => void;
  /** Asks whether the session is over: the login page then says why. */
  checkSession: () => void;
}

export class Pane {
  readonly element = copyOf("pane");
  readonly input: Input;
  readonly clipboard: Clipboard;
  readonly files: Files;
  readonly sound: Sound;
  readonly microphone: Microphone;
  readonly second: SecondWindow;
  quality = new Quality();
  private name: string; // of this pane, for coming back
  private readonly whisper = new Whisper(within(this.element, "whisper"));
  private readonly picture: Picture;
  private readonly pointer: Pointer;
  private readonly sign = new QualitySign(within(this.element, "quality-sign"));
  private readonly status: StatusCard;
  private readonly signIn: SignIn;
  private readonly thumbnail: Thumbnail;
  private connection: Connection | null = null;
  private answered = false; // the sign-in box, in this connection
  private lastFault = ""; // of the sign-in before, told where it is asked again

  constructor(readonly target: Target, private readonly host: Host) {
    this.name = target.page ?? crypto.randomUUID();
    this.thumbnail = new Thumbnail(thumbnailOf(target), () => (this.isConnected ? this.connection?.client.getDisplay() ?? null : null));
    const named = { target: target.name };
    this.element.setAttribute("aria-label", text("desktop.js.region", named));
    const frame = within(this.element, "display");
    frame.setAttribute("aria-label", text("desktop.js.region", named));
    const resizes = target.resizes !== "";
    this.picture = new Picture(frame, { resizes, view: this.view, viewed: (view) => this.keep(view) });
    this.input = new Input(frame, () => host.released(), () => host.changed());
    this.pointer = new Pointer(frame, this.picture, () => this.input.focus());
    this.second = new SecondWindow(frame, target, this.picture, this.whisper, host);
    this.clipboard = new Clipboard(this.element, target, this.whisper, () => host.changed());
    this.files = new Files(this.element, target, () => host.changed(), () => this.focus());
    this.sound = new Sound(target, this.whisper);
    this.microphone = new Microphone(within(this.element, "microphone-sign"), this.whisper, () => host.changed());
    within(this.element, "read-only").hidden = !target.readOnly;
    this.status = new StatusCard(this.element, target.name, {
      connect: () => this.connect(),
      abandon: () => this.cancel(),
      close: () => host.closed(this),
    });
    this.signIn = new SignIn(this.element, target, () => this.signedIn(), () => this.cancel());
    offerToShowPasswords(this.element);
    for (const kind of ["focusin", "pointerdown"]) {
      this.element.addEventListener(kind, () => host.entered(this), { capture: true });
    }
  }

  /** Gives the keyboard to the desktop, or to what the pane asks. */
  focus(): void {
    if (document.querySelector("dialog:modal")) return;
    if (this.host.isTold()) return;
    if (this.signIn.isOpen) this.signIn.focus();
    else if (this.status.state === "connected") this.input.focus();
    else this.status.focus();
  }

  get isConnected(): boolean {
    return this.status.state === "connected";
  }

  /** How large the desktop is shown: remembered for this kind of screen. */
  get view(): View {
    return viewOf(chosen(this.viewName));
  }

  look(view: View): void {
    this.keep(view);
    this.picture.look(view);
  }

  get isLarger(): boolean {
    return this.picture.isLarger;
  }

  pan(x: number, y: number): void {
    this.picture.pan(x, y);
  }

  /** The window has become smaller: the pointer stays in sight. */
  followPointer(): void {
    this.pointer.follow();
  }

  private get viewName(): string {
    const isSmall = Math.min(window.screen.width, window.screen.height) < 600;
    return `view/${isSmall ? "small" : "large"}/${this.target.id}`;
  }

  private keep(view: View): void {
    choose(this.viewName, String(view));
  }

  /** Of several panes each can be closed by itself. */
  amongOthers(isSo: boolean): void {
    this.status.amongOthers(isSo);
  }

  connect(): void {
    this.letGo();
    this.connection?.drop();
    this.quality = new Quality();
    this.answered = false;
    this.status.busy("connecting", "desktop.js.connecting");
    const connection = new Connection(tunnelOf(this.target), {
      reached: () => this.status.busy("waiting", "desktop.js.reached"),
      waiting: () => this.status.busy("waiting", "desktop.js.waiting"),
      measured: (roundTrip) => this.measured(roundTrip),
      unstable: (isUnstable) => this.whisper.say(isUnstable ? text("desktop.js.unstable") : "", true),
      rendered: () => this.rendered(),
      over: (fault) => this.over(fault),
      told: (id, words, shown) => this.host.told(id, words, shown),
    });
    this.connection = connection;
    if (this.target.readOnly) connection.client.sendSize = () => undefined; // who only looks does not decide on its size
    this.picture.attach(connection.client, () => connection.sized());
    this.clipboard.attach(connection.client);
    this.files.attach(connection.client);
    this.sound.attach(connection.client);
    this.microphone.attach(connection.client);
    connection.client.onrequired = (parameters) => {
      this.status.busy("waiting", "desktop.js.sign-in");
      this.signIn.ask(connection.client, parameters, this.lastFault);
    };
    connection.open(this.picture.size(), this.target.audio, this.name, chosen("keyboard"));
    this.host.changed();
  }

  /** Connects again from the start, with what has been chosen since. */
  connectAnew(): void {
    this.name = crypto.randomUUID(); // not back to the desktop that there was
    this.connect();
  }

  /** Ends the desktop without a word: the pane goes. */
  drop(): void {
    this.thumbnail.stop();
    this.letGo();
    this.connection?.drop();
  }

  /** Leaves the desktop, which waits for its person for a while: the page goes. */
  leave(): void {
    this.letGo();
    this.connection?.leave();
  }

  /** Saves the picture as a file. */
  async shoot(): Promise<void> {
    const saved = this.isConnected && this.connection !== null && await saveScreenshot(this.connection.client, this.target.name);
    this.whisper.say(text(saved ? "desktop.js.shot" : "desktop.js.shot-failed"));
  }

  private signedIn(): void {
    this.answered = true;
    this.status.busy("waiting", "desktop.js.waiting");
  }

  private rendered(): void {
    this.lastFault = "";
    this.picture.reveal();
    const hadFocus = this.element.contains(document.activeElement) || document.activeElement === document.body;
    this.status.connected();
    const client = this.target.readOnly ? null : this.connection?.client ?? null;
    for (const one of [this.input, this.pointer, this.second]) one.attach(client);
    if (hadFocus) this.focus();
    this.picture.ask(); // the window may have changed while waiting
    void this.clipboard.bring();
    this.host.changed();
  }

  private over(fault: Fault): void {
    this.signIn.close();
    this.letGo();
    this.whisper.say("");
    const cause = causeOf({ ...fault, answered: this.answered && this.status.state !== "connected" });
    if (cause.reconnects) this.picture.fade();
    else this.picture.remove();
    this.lastFault = cause.key === "desktop.js.refused" ? text(cause.key, { target: this.target.name }) : "";
    this.status.over(cause, fault);
    this.host.changed();
    this.host.checkSession();
  }

  private measured(roundTrip: number): void {
    const changed = this.quality.measured(roundTrip, Date.now());
    if (!this.isConnected) return;
    this.sign.show(this.quality.level, this.quality.roundTrip);
    if (changed) this.sign.announce(this.quality.level);
    this.host.measured(this);
  }

  /** The person does not want to wait or to sign in. */
  private cancel(): void {
    this.connection?.drop();
    this.signIn.close();
    this.letGo();
    this.picture.remove();
    this.status.over({ key: "desktop.js.closed", state: "closed" }, { code: 0, text: "", silent: false });
    this.host.changed();
  }

  /** Nothing goes to or comes from a connection that is over. */
  private letGo(): void {
    for (const one of [this.input, this.pointer, this.second, this.clipboard, this.files, this.microphone]) one.attach(null);
    this.sign.show(null, 0);
  }
}
