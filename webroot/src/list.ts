// What the list gains with JavaScript: the keyboard, a status beside each target
// in view, and favourites without a reload. list/search.ts narrows it down.
import { Keyboard } from "./list/keyboard";
import { Search } from "./list/search";
import { Status } from "./list/status";
import { text } from "./text";

/** The star is changed at once; the row moves when the page is loaded next, not under the pointer. */
function markWithoutReload(): void {
  const form = document.querySelector<HTMLFormElement>("#favourite");
  const said = document.querySelector<HTMLElement>("#said");
  form?.addEventListener("submit", (event) => {
    const star = event.submitter;
    if (!(star instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const mark = star.name === "add";
    void (async () => {
      try {
        const answer = await fetch(form.action, {
          method: "POST",
          headers: { Accept: "application/json" },
          body: new URLSearchParams({ [star.name]: star.value }),
          redirect: "error",
          signal: AbortSignal.timeout(10_000),
        });
        if (!answer.ok) throw new Error(String(answer.status));
      } catch {
        // The page of the refusal says why; a form that the script sends itself asks no listener.
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name: star.name, value: star.value });
        form.append(field);
        form.submit();
        return;
      }
      star.name = mark ? "remove" : "add";
      star.setAttribute("aria-pressed", String(mark));
      const target = star.parentElement?.querySelector("strong")?.textContent ?? "";
      if (said) said.textContent = text(mark ? "targets.js.marked" : "targets.js.unmarked", { target });
    })();
  });
}

// A page that the browser kept shows what was running when it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
markWithoutReload();
const search = Search.ofPage();
new Keyboard(search);
new Status().start();
