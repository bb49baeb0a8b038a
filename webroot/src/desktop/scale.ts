// How large a desktop is and how large it is shown: sums only.

export interface Size {
  width: number;
  height: number;
}

/** The whole desktop in the window; one of its pixels to one of the screen's; or percent. */
export type View = "fit" | "pixels" | number;

export const leastZoom = 25; // percent; also in gateway/preferences.go
export const mostZoom = 400;

// What the gateway takes (gateway/desktop.go).
const least: Size = { width: 320, height: 240 };
const most: Size = { width: 7680, height: 4320 };

/** Reads a view as it is remembered; what it does not know is "fit". */
export function viewOf(text: string): View {
  const percent = Number(text);
  if (text === "pixels") return "pixels";
  return text !== "" && percent >= leastZoom && percent <= mostZoom ? Math.round(percent) : "fit";
}

/**
 * How many CSS pixels a pixel of the desktop takes, where the desktop takes the
 * size that it is asked for. Above 100 percent it is magnified; below, it is
 * asked to be larger than the window.
 */
function grain(view: View, ratio: number): number {
  if (view === "pixels") return 1 / ratio;
  return view === "fit" ? 1 : view / 100;
}

/** The size to ask for, in a window of this many CSS pixels on a screen of this many pixels to each. */
export function wanted(window: Size, view: View, ratio: number): Size {
  const by = view === "pixels" ? grain(view, ratio) : Math.min(1, grain(view, ratio));
  const side = (length: number, min: number, max: number): number => Math.min(max, Math.max(min, Math.floor(length / by + 0.001)));
  return { width: side(window.width, least.width, most.width), height: side(window.height, least.height, most.height) };
}

/**
 * The scale to show a desktop at. asked is what it was asked for, null where its
 * size is its own. A desktop that rounds what it is asked for (to even widths,
 * say) is shown pixel by pixel all the same: stretched, it would be blurred.
 */
export function scaleOf(window: Size, desktop: Size, asked: Size | null, view: View, ratio: number): number {
  if (view !== "fit") return grain(view, ratio);
  const fit = Math.min(window.width / desktop.width, window.height / desktop.height);
  const isAsAsked = asked !== null && Math.abs(asked.width - desktop.width) < 8 && Math.abs(asked.height - desktop.height) < 8;
  return isAsAsked && Math.abs(fit - 1) < 0.05 ? 1 : fit;
}
