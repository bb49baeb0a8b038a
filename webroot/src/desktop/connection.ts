// One desktop's life: connecting, waiting, connected, over. Each try is a new
// Guacamole client on a new WebSocket.
import * as Guacamole from "@glokon/guacamole-common-js";
import type { Fault } from "./cause";
import type { Size } from "./scale";

export interface Events {
  /** The portal is there: now the target is waited for. */
  reached: () => void;
  /** The target has answered: now its picture is waited for. */
  waiting: () => void;
  /** What a word to the portal and back took, in milliseconds; twice a second. */
  measured: (roundTrip: number) => void;
  unstable: (isUnstable: boolean) => void;
  /** The first whole picture is on the page. */
  rendered: () => void;
  over: (fault: Fault) => void;
  /** Helpdesk says something to the person; shown is to be called once it is on the page. */
  told: (id: string, words: string, shown: () => void) => void;
}

const socketFailed = 519; // what the client library makes of WebSocket code 1006
const ping = /0\.,4\.ping,\d+\.(\d{1,16});$/; // the portal's answer, which ends its message
const clientTimeout = "Server timeout."; // and its text when nothing came for 15 s

export class Connection {
  readonly client: Guacamole.Client;
  private readonly tunnel: Guacamole.WebSocketTunnel;
  private isOver = false;
  private hasSize = false;
  private hasFrame = false;
  private hasRendered = false;

  constructor(address: string, private readonly events: Events) {
    this.tunnel = new Guacamole.WebSocketTunnel(address);
    this.client = new Guacamole.Client(this.tunnel);
    this.hearHelpdesk();
    this.client.onerror = (status) => this.end({ code: status.code, text: status.message ?? "", silent: false });
    this.tunnel.onerror = (status) => this.end(faultOfSocket(status));
    this.tunnel.onstatechange = (state) => {
      if (state === Guacamole.Tunnel.State.CLOSED) this.end({ code: 0, text: "", silent: false });
      if (state === Guacamole.Tunnel.State.OPEN && !this.hasRendered && !this.hasSize) this.events.reached();
      if (this.hasRendered) this.events.unstable(state === Guacamole.Tunnel.State.UNSTABLE);
    };
    this.client.onstatechange = (state) => {
      this.hasFrame = state === Guacamole.Client.State.CONNECTED; // the first sync
      this.lookForPicture();
    };
  }

  /**
   * Connects. size and formats tell guacd what this window can show, keyboard is
   * the layout that the person has chosen; page lets the gateway find the desktop
   * again that a lost network took away. Nothing in it is secret.
   */
  open(size: Size, audio: boolean, page: string, keyboard: string): void {
    const query = new URLSearchParams({
      page,
      keyboard,
      width: String(size.width),
      height: String(size.height),
      dpi: "96", // guacd would make the desktop smaller for another one, and never tells Windows
      tz: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    });
    for (const format of ["image/png", "image/jpeg"]) query.append("image", format);
    if (audio) for (const format of Guacamole.AudioPlayer.getSupportedTypes()) query.append("audio", format);
    this.listening(() => this.client.connect(query.toString()));
  }

  /** The number of this connection for helpdesk; the page's own while the gateway has not said one. */
  get supportId(): string {
    return this.tunnel.uuid ?? document.body.dataset["supportId"] ?? "";
  }

  /** The display has got a size: to be called by whoever shows it. */
  sized(): void {
    if (!this.hasSize && !this.hasRendered) this.events.waiting();
    this.hasSize = true;
    this.lookForPicture();
  }

  /** Ends the desktop at once, without a word to the person. */
  drop(): void {
    this.isOver = true;
    this.client.disconnect();
  }

  /** Leaves the desktop, which waits for its person for a while. */
  leave(): void {
    this.isOver = true;
    this.tunnel.sendMessage("", "leave", "");
    this.tunnel.disconnect();
  }

  /** The gateway's own instruction among guacd's, which can send no such one: helpdesk,ID,WORDS. */
  private hearHelpdesk(): void {
    const { oninstruction } = this.tunnel;
    this.tunnel.oninstruction = (opcode, parameters) => {
      if (opcode !== "helpdesk") {
        oninstruction?.(opcode, parameters);
        return;
      }
      const [id = "", words = ""] = parameters as string[];
      this.events.told(id, words, () => {
        if (!this.isOver) this.tunnel.sendMessage("", "shown", id);
      });
    };
  }

  /**
   * Listens for the answers to the tunnel's pings. The client library keeps its
   * socket to itself, so it is given one that is listened to from the start.
   */
  private listening(connect: () => void): void {
    const Plain = window.WebSocket;
    const heard = (event: MessageEvent): void => {
      const sent = typeof event.data === "string" ? ping.exec(event.data.slice(-48))?.[1] : undefined;
      if (sent !== undefined) this.events.measured(Date.now() - Number(sent));
    };
    window.WebSocket = class extends Plain {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols);
        this.addEventListener("message", heard);
      }
    };
    try {
      connect();
    } finally {
      window.WebSocket = Plain;
    }
  }

  private lookForPicture(): void {
    if (this.hasRendered || !this.hasSize || !this.hasFrame) return;
    this.hasRendered = true;
    this.events.rendered();
  }

  private end(fault: Fault): void {
    if (this.isOver) return;
    this.isOver = true;
    this.events.over({ ...fault, supportId: this.supportId });
    this.client.disconnect();
  }
}

function faultOfSocket(status: Guacamole.Status): Fault {
  const silent = (status.code === socketFailed && !status.message) || status.message === clientTimeout;
  // The close reason is the number again: not a text for people.
  const words = status.message && !/^\d+$/.test(status.message) ? status.message : "";
  return { code: status.code, text: words, silent };
}
