// Text that comes without keys (an input method, a phone's keyboard, dictation,
// the emoji panel) as what a keyboard would have sent.

export const backspace = 0xff08;

/** What turns one content of a field into the next: characters to take back, and text to add. */
export function difference(before: string, after: string): { erase: number; text: string } {
  const [old, now] = [Array.from(before), Array.from(after)];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same++;
  return { erase: old.length - same, text: now.slice(same).join("") };
}

/** The X11 keysym of a character (keysymdef.h: Latin-1 as it is, Unicode from 0x01000000). */
function keysymOf(character: string): number | null {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x0a || code === 0x0d) return 0xff0d; // Return
  if (code === 0x09) return 0xff09; // Tab
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return null;
  if (code === 0xfe0f || code === 0x200d) return null; // variation selector, joiner: nothing to press
  return code <= 0xff ? code : 0x01000000 | code;
}

/** The keys for a text, one after the other. */
export function keysymsOf(text: string): number[] {
  return Array.from(text.replaceAll("\r\n", "\n"), keysymOf).filter((keysym) => keysym !== null);
}
