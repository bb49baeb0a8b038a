// One file on its way from the desktop, kept by the browser until it is whole.
import * as Guacamole from "@glokon/guacamole-common-js";

export const largestDownload = 2 ** 31; // bytes; a browser holds no more in one piece everywhere

const foldBytes = 2 ** 20; // a Blob may lie on the browser's disk, an array does not
const ahead = 8; // blobs that guacd may send before it hears of the first

export interface DownloadEvents {
  progress: (done: number) => void;
  done: (file: Blob) => void;
  tooLarge: () => void;
}

export class Download {
  private parts: Blob[] = [];
  private fresh: Uint8Array<ArrayBuffer>[] = [];
  private freshBytes = 0;
  private size = 0;
  private isOver = false;

  /** A file of guacd's drive may be asked for ahead; its printer sends one blob, waits, and sends the next. */
  constructor(
    private readonly stream: Guacamole.InputStream,
    private readonly mimetype: string,
    mayAskAhead: boolean,
    private readonly events: DownloadEvents,
  ) {
    stream.onblob = (data) => this.take(data);
    stream.onend = () => this.ended();
    for (let n = mayAskAhead ? ahead : 1; n > 0; n--) this.ack(); // guacd waits for the first
  }

  cancel(): void {
    if (this.isOver) return;
    this.drop();
    this.stream.sendAck("Cancelled", Guacamole.Status.Code.RESOURCE_CLOSED);
  }

  /** The connection is gone: there is nobody to tell. */
  drop(): void {
    this.isOver = true;
    this.parts = [];
    this.fresh = [];
  }

  private take(data: string): void {
    if (this.isOver) return;
    const bytes = Uint8Array.from(window.atob(data), (letter) => letter.charCodeAt(0));
    this.size += bytes.length;
    if (this.size > largestDownload) {
      this.cancel();
      this.events.tooLarge();
      return;
    }
    this.fresh.push(bytes);
    this.freshBytes += bytes.length;
    if (this.freshBytes >= foldBytes) this.fold();
    this.events.progress(this.size);
    this.ack();
  }

  private fold(): void {
    this.parts.push(new Blob(this.fresh));
    this.fresh = [];
    this.freshBytes = 0;
  }

  private ended(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.fold();
    this.events.done(new Blob(this.parts, { type: this.mimetype }));
  }

  private ack(): void {
    this.stream.sendAck("OK", Guacamole.Status.Code.SUCCESS);
  }
}
