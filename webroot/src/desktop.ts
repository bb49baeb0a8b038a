// The desktop page: one remote desktop in the whole window. This file joins the
// parts; each of them is one thing that people see or do.
import { AudioContextFactory } from "@glokon/guacamole-common-js";
import { causeOf, type Fault } from "./desktop/cause";
import { Clipboard } from "./desktop/clipboard";
import { Connection } from "./desktop/connection";
import { Files } from "./desktop/files";
import { alt, ctrl, del, Input } from "./desktop/keys";
import { Picture } from "./desktop/picture";
import { SignIn } from "./desktop/signin";
import { StatusCard, Whisper } from "./desktop/status";
import { Tools } from "./desktop/tools";
import { startIdleClock } from "./idle";
import { part } from "./page";
import { offerToShowPasswords } from "./reveal";
import { text } from "./text";

class Desktop {
  private readonly page = document.body.dataset;
  private readonly target = this.page["targetName"] ?? "";
  private readonly name = crypto.randomUUID(); // of this page, for coming back
  private readonly frame = part("display");
  private readonly whisper = new Whisper();
  private readonly picture = new Picture(this.frame);
  private readonly input = new Input(this.frame, () => this.tools.open());
  private readonly tools = new Tools(() => this.input.focus(), () => this.input.send(ctrl, alt, del));
  private readonly clipboard = new Clipboard({ copy: this.allows("copy"), paste: this.allows("paste") }, this.whisper);
  private readonly files = new Files({ upload: this.allows("upload"), download: this.allows("download") }, this.whisper);
  private readonly status = new StatusCard(this.target, () => this.connect(), () => this.cancel());
  private readonly signIn = new SignIn(() => this.signedIn(), () => this.cancel());
  private readonly checkSession = startIdleClock({ onClose: () => this.input.focus() });
  private connection: Connection | null = null;
  private answered = false; // the sign-in box, in this connection
  private lastFault = ""; // of the sign-in before, told where it is asked again

  start(): void {
    // Leaving the page ends the desktop in milliseconds; guacd would wait 15 s for a silent browser.
    window.addEventListener("pagehide", () => this.connection?.drop());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.connect();
    });
    if (this.allows("audioOut")) {
      // Browsers play sound only after the person has done something.
      for (const kind of ["pointerdown", "keydown"]) {
        window.addEventListener(kind, () => void AudioContextFactory.getAudioContext()?.resume(), { capture: true });
      }
    }
    this.connect();
  }

  private allows(what: string): boolean {
    return document.body.dataset[what] !== undefined;
  }

  private connect(): void {
    this.connection?.drop();
    this.answered = false;
    this.status.busy("connecting", "desktop.js.connecting");
    const connection = new Connection(this.page["tunnel"] ?? "", {
      waiting: () => this.status.busy("waiting", "desktop.js.waiting"),
      unstable: (isUnstable) => this.whisper.say(isUnstable ? text("desktop.js.unstable") : "", true),
      rendered: () => this.rendered(),
      over: (fault) => this.over(fault),
    });
    this.connection = connection;
    this.picture.attach(connection.client, () => connection.sized());
    this.clipboard.attach(connection.client);
    this.files.attach(connection.client);
    connection.client.onrequired = (parameters) => {
      this.status.busy("waiting", "desktop.js.sign-in");
      this.signIn.ask(connection.client, parameters, this.lastFault);
    };
    connection.open(this.picture.size(), this.allows("audioOut"), this.name);
  }

  private signedIn(): void {
    this.answered = true;
    this.status.busy("waiting", "desktop.js.waiting");
  }

  private rendered(): void {
    this.lastFault = "";
    this.picture.reveal();
    this.status.connected();
    this.input.attach(this.connection?.client ?? null);
    this.input.focus();
    this.picture.ask(); // the window may have changed while waiting
    void this.clipboard.bring();
  }

  private over(fault: Fault): void {
    this.signIn.close();
    this.input.attach(null);
    this.whisper.say("");
    const cause = causeOf({ ...fault, answered: this.answered && this.status.state !== "connected" });
    if (cause.reconnects) this.picture.fade();
    else this.picture.remove();
    this.lastFault = cause.key === "desktop.js.refused" ? text(cause.key, { target: this.target }) : "";
    this.status.over(cause, fault);
    void this.checkSession(); // if the session is over, the login page says why
  }

  /** The person does not want to wait or to sign in. */
  private cancel(): void {
    this.connection?.drop();
    this.signIn.close();
    this.input.attach(null);
    this.picture.remove();
    this.status.over({ key: "desktop.js.closed", state: "closed" }, { code: 0, text: "", silent: false });
  }
}

offerToShowPasswords();
new Desktop().start();
