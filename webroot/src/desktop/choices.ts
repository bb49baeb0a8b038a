// What the person has chosen for desktops. The portal remembers it with the
// account (gateway/preferences.go): logging out empties the browser.

interface Choices {
  keyboards: string[];
  chosen: Record<string, string>;
}

const known = JSON.parse(document.body.dataset["choices"] || "{}") as Partial<Choices>;
const all = new Map(Object.entries(known.chosen ?? {}));

/** The keyboard layouts that there are, by the names that guacd has for them. */
export const keyboards: readonly string[] = known.keyboards ?? [];

/** What was chosen; "" where nothing was. */
export function chosen(name: string): string {
  return all.get(name) ?? "";
}

/** Chooses, from now on and for the next time; "" takes a choice back. */
export function choose(name: string, value: string): void {
  if (chosen(name) === value) return;
  all.set(name, value);
  // Where it cannot be kept, it holds for this page.
  void fetch("/preference", {
    method: "POST",
    body: new URLSearchParams({ name, value }),
    redirect: "error",
    keepalive: true,
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
}
