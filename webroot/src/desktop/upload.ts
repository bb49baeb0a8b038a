// One file on its way to the desktop, in blobs that guacd acknowledges one by one.
import * as Guacamole from "@glokon/guacamole-common-js";

// guacd counts what it has written of a file in 31 bits (upload.h, offset).
export const largestUpload = 2 ** 31 - 1;

const blobBytes = 6048; // 8,064 characters of base64; guacd takes 8,192
const readBytes = 64 * blobBytes;
const ahead = 16; // blobs on their way: one by one, each would wait for the one before to cross twice

export interface UploadEvents {
  progress: (done: number) => void;
  done: () => void;
  /** status is guacd's; null: this computer could not read the file. */
  failed: (status: Guacamole.Status | null) => void;
}

export class Upload {
  private readonly stream: Guacamole.OutputStream;
  private readonly writer: Guacamole.ArrayBufferWriter;
  private buffer = new Uint8Array();
  private readTo = 0; // of the file
  private written = 0; // of the file, by guacd
  private onTheWay: number[] = []; // the sizes of the blobs that are not acknowledged
  private hasBegun = false;
  private isReading = false;
  private isOver = false;

  /** open opens a stream that writes the file anew. */
  constructor(
    private readonly open: () => Guacamole.OutputStream,
    private readonly file: File,
    private readonly events: UploadEvents,
  ) {
    this.stream = open();
    this.writer = new Guacamole.ArrayBufferWriter(this.stream);
    this.writer.onack = (status) => this.heard(status);
  }

  /**
   * Stops. guacd keeps what it has written of a file and knows no way to remove
   * it, so the file is written anew, empty: half a file could be taken for a whole one.
   */
  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stream.sendEnd();
    if (this.hasBegun) this.open().sendEnd();
  }

  /** The connection is gone: there is nobody to tell. */
  drop(): void {
    this.isOver = true;
  }

  private heard(status: Guacamole.Status): void {
    // guacd's answer to the end of another stream, which had this one's number.
    if (this.isOver || status.message === "OK (STREAM END)") return;
    if (status.isError()) {
      this.cancel();
      this.events.failed(status);
      return;
    }
    this.hasBegun = true;
    this.written += this.onTheWay.shift() ?? 0;
    this.events.progress(this.written);
    void this.pump();
  }

  private async pump(): Promise<void> {
    while (!this.isOver && this.onTheWay.length < ahead) {
      if (this.buffer.length === 0) {
        if (this.isReading || this.readTo >= this.file.size) break;
        if (!(await this.read())) return;
        continue;
      }
      const blob = this.buffer.subarray(0, blobBytes);
      this.buffer = this.buffer.subarray(blob.length);
      this.onTheWay.push(blob.length);
      this.writer.sendData(blob);
    }
    if (this.isOver || this.written < this.file.size) return;
    this.isOver = true;
    this.stream.sendEnd();
    this.events.done();
  }

  private async read(): Promise<boolean> {
    this.isReading = true;
    try {
      const piece = await this.file.slice(this.readTo, this.readTo + readBytes).arrayBuffer();
      this.buffer = new Uint8Array(piece);
      this.readTo += piece.byteLength;
      return true;
    } catch { // removed or changed since it was chosen
      if (!this.isOver) {
        this.cancel();
        this.events.failed(null);
      }
      return false;
    } finally {
      this.isReading = false;
    }
  }
}
