/** Small words in a corner that go by themselves. */
export class Whisper {
  private timer = 0;

  constructor(private readonly box: HTMLElement) {}

  say(words: string, stays = false): void {
    window.clearTimeout(this.timer);
    this.box.textContent = words;
    this.box.hidden = words === "";
    if (!stays && words !== "") this.timer = window.setTimeout(() => this.say(""), 6000);
  }
}
