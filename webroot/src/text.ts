// The texts that scripts show. The page carries them in <template id="texts">,
// in its own language; the Swedish file says which keys there are.
import type swedish from "../locales/sv.json";

export type TextKey = Extract<keyof typeof swedish, `${string}.js.${string}`>;

const texts = new Map<string, string>();
const carrier = document.querySelector<HTMLTemplateElement>("#texts");
for (const one of carrier?.content.querySelectorAll<HTMLElement>("[data-key]") ?? []) {
  texts.set(one.dataset["key"] ?? "", one.textContent ?? "");
}

/** The text of a key, its {placeholders} filled in. */
export function text(key: TextKey, values: Record<string, string | number> = {}): string {
  return (texts.get(key) ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** "1:05" for 65 seconds. */
export function minutesAndSeconds(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
