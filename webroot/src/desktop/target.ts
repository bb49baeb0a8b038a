/**
 * What the page knows of a target: who it is and what may cross (gateway/desktop.go).
 * The gateway enforces it; the page only does not offer what is not allowed.
 */
export interface Target {
  id: string;
  name: string;
  group: string;
  copy: boolean;
  paste: boolean;
  upload: boolean;
  download: boolean;
  print: boolean;
  audio: boolean;
  microphone: boolean;
  readOnly: boolean; // to look at: nothing goes to the desktop
  /** Its own keyboard layout; "": there is none to choose. */
  keyboard: string;
  /** Whether it takes the window's size: at once, by connecting again, or not. */
  resizes: "live" | "anew" | "";
  page?: string; // what to call itself, to come to a desktop that goes on
}

/** Where its WebSocket is. */
export function tunnelOf(target: Target): string {
  return `/tunnel/${encodeURIComponent(target.id)}`;
}

/** Where its picture for the list goes. */
export function thumbnailOf(target: Target): string {
  return `/desktop/${encodeURIComponent(target.id)}/view`;
}
