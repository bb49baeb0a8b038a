// The person's microphone to the desktop: off until they press the button, with
// a sign for as long as it is on. What it hears leaves this computer only while
// a program on the desktop listens.
import * as Guacamole from "@glokon/guacamole-common-js";
import { text } from "../text";
import type { Whisper } from "./whisper";

const frames = 4096; // of a piece: 85 ms at 48 kHz

export class Microphone {
  private client: Guacamole.Client | null = null;
  private hearing: MediaStream | null = null;
  private context: AudioContext | null = null;
  private stream: Guacamole.OutputStream | null = null;
  private isWanted = false; // by a program on the desktop

  constructor(
    private readonly sign: HTMLElement,
    private readonly whisper: Whisper,
    private readonly changed: () => void,
  ) {}

  /** Works with this client from now on; null: the connection is over, and the microphone off. */
  attach(client: Guacamole.Client | null): void {
    this.client = null;
    this.off();
    this.client = client;
  }

  get isOn(): boolean {
    return this.hearing !== null;
  }

  async turn(): Promise<void> {
    if (this.isOn) this.off();
    else await this.on();
  }

  private async on(): Promise<void> {
    const { client } = this;
    if (!client) return;
    let hearing: MediaStream;
    try {
      hearing = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === "NotAllowedError";
      this.whisper.say(text(isRefused ? "desktop.js.microphone-refused" : "desktop.js.microphone-none"));
      return;
    }
    if (this.client !== client || this.isOn) { // ended, or pressed twice, while the browser asked
      for (const track of hearing.getTracks()) track.stop();
      return;
    }
    this.hearing = hearing;
    for (const track of hearing.getTracks()) track.addEventListener("ended", () => this.off()); // unplugged, or taken back
    this.listen(hearing);
    this.offer(client);
    this.show();
  }

  private off(): void {
    for (const track of this.hearing?.getTracks() ?? []) track.stop();
    void this.context?.close();
    if (this.client) this.stream?.sendEnd();
    this.hearing = this.context = this.stream = null;
    this.isWanted = false;
    this.show();
  }

  /** guacd answers when a program on the desktop begins to listen, and when it stops. */
  private offer(client: Guacamole.Client): void {
    const rate = this.context?.sampleRate ?? 44100; // guacd brings it to what the desktop wants
    const stream = client.createAudioStream(`audio/L16;rate=${rate},channels=1`);
    this.stream = stream;
    stream.onack = (status) => {
      if (this.stream !== stream) return;
      this.isWanted = !status.isError();
      if (status.code === Guacamole.Status.Code.RESOURCE_CLOSED) this.offer(client);
      else if (status.isError()) {
        this.stream = null; // guacd has closed it
        this.off();
        this.whisper.say(text("desktop.js.microphone-forbidden"));
      }
      this.show();
    };
  }

  private listen(hearing: MediaStream): void {
    const context = new AudioContext();
    // An AudioWorklet would be a script of its own for these few lines.
    const processor = context.createScriptProcessor(frames, 1, 1);
    processor.onaudioprocess = ({ inputBuffer }) => {
      if (!this.stream || !this.isWanted) return;
      const samples = Int16Array.from(inputBuffer.getChannelData(0), (value) => Math.max(-1, Math.min(1, value)) * 0x7fff);
      sendBytes(this.stream, new Uint8Array(samples.buffer));
    };
    context.createMediaStreamSource(hearing).connect(processor);
    processor.connect(context.destination); // silence; without it nothing is processed
    this.context = context;
  }

  private show(): void {
    this.sign.hidden = !this.isOn;
    this.sign.textContent = this.isOn ? text(this.isWanted ? "desktop.js.microphone-heard" : "desktop.js.microphone-on") : "";
    this.changed();
  }
}

/** Not the library's writer: it would put itself between the stream and its answers. */
function sendBytes(stream: Guacamole.OutputStream, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 6048) {
    stream.sendBlob(window.btoa(String.fromCharCode(...bytes.subarray(at, at + 6048))));
  }
}
