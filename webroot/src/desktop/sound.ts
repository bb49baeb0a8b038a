// The desktop's sound: played by the client library, muted here.
import * as Guacamole from "@glokon/guacamole-common-js";
import { text } from "../text";
import type { Target } from "./target";
import type { Whisper } from "./whisper";

export class Sound {
  private muted = false;
  private hinted = false;

  constructor(private readonly target: Target, private readonly whisper: Whisper) {}

  attach(client: Guacamole.Client): void {
    client.onaudio = (stream, mimetype) => this.play(stream, mimetype);
  }

  get isMuted(): boolean {
    return this.muted;
  }

  turn(): void {
    this.muted = !this.muted;
  }

  private play(stream: Guacamole.InputStream, mimetype: string): Guacamole.AudioPlayer | null {
    const player = Guacamole.AudioPlayer.getInstance(stream, mimetype);
    const play = stream.onblob; // the player's
    stream.onblob = (data) => {
      if (this.muted) return;
      const context = Guacamole.AudioContextFactory.getAudioContext();
      if (context?.state === "suspended" && !this.hinted) {
        this.hinted = true;
        this.whisper.say(text("desktop.js.sound-blocked", { target: this.target.name }));
      }
      play?.(data);
    };
    return player;
  }
}
