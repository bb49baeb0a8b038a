// Files to and from the desktop, where the target allows them, and what it
// prints. guacd keeps the files in a folder that the desktop sees as a disk.
import * as Guacamole from "@glokon/guacamole-common-js";
import { within } from "../page";
import { bytes, text } from "../text";
import { Download, largestDownload } from "./download";
import { SharedFolder } from "./folder";
import type { Target } from "./target";
import { Transfers, type Transfer } from "./transfers";
import { largestUpload, Upload } from "./upload";

const atOnce = 2; // uploads
const mostWaiting = 500;
const pdf = "application/pdf";

/** A file to send, and where it goes. */
interface Wanted {
  file: File;
  name: string;
  open: () => Guacamole.OutputStream;
  row: Transfer;
}

export class Files {
  /** What the desktop shares; null: nothing, or not yet. */
  folder: SharedFolder | null = null;
  private client: Guacamole.Client | null = null;
  private readonly transfers: Transfers;
  private waiting: Wanted[] = [];
  private readonly sending = new Map<Upload, Wanted>();
  private readonly fetching = new Map<Download, Transfer>();

  constructor(
    pane: HTMLElement,
    private readonly target: Target,
    private readonly changed: () => void,
    left: () => void,
  ) {
    this.transfers = new Transfers(within(pane, "transfers"), left);
    const drop = within(pane, "drop");
    drop.textContent = text("desktop.js.drop", { target: target.name });
    pane.addEventListener("dragover", (event) => {
      if (event.dataTransfer) event.dataTransfer.dropEffect = this.maySend ? "copy" : "none";
      drop.hidden = !this.maySend;
    });
    pane.addEventListener("dragleave", (event) => {
      if (!pane.contains(event.relatedTarget as Node | null)) drop.hidden = true;
    });
    pane.addEventListener("drop", (event) => {
      drop.hidden = true;
      this.dropped(event.dataTransfer);
    });
  }

  /** Works with this client from now on; null: the connection is over. */
  attach(client: Guacamole.Client | null): void {
    this.lose();
    this.client = client;
    if (!client) return;
    const { download, print, upload } = this.target;
    if (download || print) client.onfile = (stream, mimetype, name) => this.receive(stream, mimetype, name);
    if (download || upload) client.onfilesystem = (object) => {
      this.folder = new SharedFolder(object);
      this.changed();
    };
  }

  /** Sends files to a folder of the disk; "": to its top. */
  sendAll(files: Iterable<File> | null | undefined, into = ""): void {
    if (!this.maySend) return;
    for (const file of files ?? []) this.send(file, into);
  }

  /** Fetches a file of the disk. */
  fetch(path: string, name: string): void {
    if (!this.folder || !this.target.download) return;
    let isWanted = true;
    const row = this.addFetch(name, () => {
      isWanted = false;
      row.failed(text("desktop.js.cancelled"));
    });
    this.folder.fetch(path).then((body) => {
      if (isWanted) this.save(body.stream, body.mimetype, name, row);
      else body.stream.sendAck("Cancelled", Guacamole.Status.Code.RESOURCE_CLOSED);
    }).catch(() => {
      if (isWanted && row.state === "running") row.failed(text("desktop.js.fetch-failed"));
    });
  }

  private get maySend(): boolean {
    return this.target.upload && this.client !== null;
  }

  private dropped(what: DataTransfer | null): void {
    if (!this.maySend) return;
    const items = [...(what?.items ?? [])].filter((item) => item.kind === "file");
    for (const item of items) {
      const file = item.getAsFile();
      if (item.webkitGetAsEntry()?.isDirectory) this.refuse(file?.name ?? "", text("desktop.js.no-folders"));
      else if (file) this.send(file, "");
    }
  }

  private send(file: File, into: string): void {
    const { client, folder } = this;
    if (!client) return;
    const name = nameOf(file);
    if (this.waiting.length >= mostWaiting) return this.refuse(name, text("desktop.js.too-many-files"));
    if (file.size > largestUpload) {
      return this.refuse(name, text("desktop.js.too-large", { size: bytes(largestUpload) }));
    }
    const mimetype = file.type || "application/octet-stream";
    const open = (): Guacamole.OutputStream => into === "" || !folder
      ? client.createFileStream(mimetype, name)
      : folder.create(into, mimetype, name);
    const row = this.transfers.add(name, () => this.cancel(wanted), text("desktop.js.sending", { file: name }));
    row.waits(text("desktop.js.queued"));
    const wanted: Wanted = { file, name, open, row };
    this.waiting.push(wanted);
    this.next();
  }

  /** Starts what may start. Of two files with one name the second waits: it would write into the first. */
  private next(): void {
    while (this.sending.size < atOnce) {
      const busy = [...this.sending.values()].map((wanted) => wanted.name);
      const at = this.waiting.findIndex((wanted) => !busy.includes(wanted.name));
      const [wanted] = at < 0 ? [] : this.waiting.splice(at, 1);
      if (!wanted) return;
      const { row, file, open } = wanted;
      const upload = new Upload(open, file, {
        progress: (done) => row.progress(done, file.size),
        done: () => this.sent(upload, () => row.done(text("desktop.js.upload-done"))),
        failed: (status) => this.sent(upload, () => row.failed(uploadFault(status))),
      });
      this.sending.set(upload, wanted);
    }
  }

  private sent(upload: Upload, tell: () => void): void {
    this.sending.delete(upload);
    tell();
    this.next();
  }

  private cancel(wanted: Wanted): void {
    this.waiting = this.waiting.filter((one) => one !== wanted);
    const [running] = [...this.sending].find(([, one]) => one === wanted) ?? [];
    running?.cancel();
    if (running) this.sending.delete(running);
    wanted.row.failed(text(running ? "desktop.js.upload-cancelled" : "desktop.js.cancelled"));
    this.next();
  }

  private refuse(name: string, words: string): void {
    this.transfers.add(name, () => undefined, "").failed(words);
  }

  /** guacd sends a file that was put into the disk's Download folder, or a print-out. */
  private receive(stream: Guacamole.InputStream, mimetype: string, name: string): void {
    const isPrint = mimetype === pdf; // its drive sends every file as application/octet-stream
    if (!(isPrint ? this.target.print : this.target.download)) {
      stream.sendAck("Not allowed", Guacamole.Status.Code.CLIENT_FORBIDDEN);
      return;
    }
    const row = this.addFetch(name, () => undefined);
    this.save(stream, mimetype, name, row, isPrint);
  }

  private addFetch(name: string, cancel: () => void): Transfer {
    const row = this.transfers.add(name, () => {
      const [running] = [...this.fetching].find(([, one]) => one === row) ?? [];
      if (!running) return cancel();
      running.cancel();
      this.fetching.delete(running);
      row.failed(text("desktop.js.cancelled"));
    }, text("desktop.js.downloading", { file: name }));
    return row;
  }

  private save(stream: Guacamole.InputStream, mimetype: string, name: string, row: Transfer, isPrint = false): void {
    const download = new Download(stream, mimetype, !isPrint, {
      progress: (done) => row.progress(done),
      tooLarge: () => {
        this.fetching.delete(download);
        row.failed(text("desktop.js.too-large", { size: bytes(largestDownload) }));
      },
      done: (blob) => {
        this.fetching.delete(download);
        if (isPrint) printed(row, blob);
        else {
          row.done(text("desktop.js.download-done"), { blob, name, words: text("desktop.js.save-again"), held: false });
          row.follow();
        }
      },
    });
    this.fetching.set(download, row);
  }

  private lose(): void {
    this.folder = null;
    const rows = [...this.sending.values(), ...this.waiting].map(({ row }) => row).concat([...this.fetching.values()]);
    for (const running of [...this.sending.keys(), ...this.fetching.keys()]) running.drop();
    this.sending.clear();
    this.fetching.clear();
    this.waiting = [];
    for (const row of rows) row.failed(text("desktop.js.transfer-lost"));
  }
}

/** A print-out opens by itself only while the browser takes it for the person's own doing. */
function printed(row: Transfer, blob: Blob): void {
  row.done(text("desktop.js.printed"), { blob, words: text("desktop.js.open-print"), held: true });
  if (navigator.userActivation?.isActive) row.follow();
}

/** The name on a Windows disk: composed letters, and none that mean something else there. */
function nameOf(file: File): string {
  return file.name.normalize("NFC").replace(/[\u0000-\u001f<>:"/\\|?*]/g, "_");
}

function uploadFault(status: Guacamole.Status | null): string {
  if (!status) return text("desktop.js.unreadable");
  return text(status.code === Guacamole.Status.Code.CLIENT_FORBIDDEN ? "desktop.js.upload-refused" : "desktop.js.upload-failed");
}
