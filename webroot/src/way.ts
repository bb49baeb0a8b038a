// What becomes of the text message, on the page that waits for its code.
const everyMs = 3_000;
const giveUpMs = 5 * 60_000;

interface Way {
  state: string;
  lines: string[] | null;
  final: boolean;
  resend_in: number;
}

/** Only lines that are new are touched: a screen reader reads what changes, politely. */
function show(region: HTMLElement, lines: string[]): void {
  const shown = [...region.querySelectorAll("p")];
  lines.forEach((line, i) => {
    const paragraph = shown[i] ?? region.appendChild(document.createElement("p"));
    if (paragraph.textContent !== line) paragraph.textContent = line;
  });
  for (const extra of shown.slice(lines.length)) extra.remove();
}

/** Asks every three seconds, while somebody looks, until nothing more is to be expected. */
export function followTheMessage(resendIn: (seconds: number) => void): void {
  const region = document.querySelector<HTMLElement>("#way[data-open]");
  const address = region?.dataset["open"];
  if (!region || !address) return;
  const until = Date.now() + giveUpMs;
  const ask = async (): Promise<boolean> => {
    if (document.hidden) return true;
    const answer = await fetch(address, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(everyMs) });
    if (!answer.ok) return answer.status >= 500; // else the login is over, or has gone on elsewhere
    const way = (await answer.json()) as Way;
    show(region, way.lines ?? []);
    region.dataset["state"] = way.state;
    resendIn(way.resend_in);
    return !way.final;
  };
  const next = (): void => {
    window.setTimeout(() => {
      void ask()
        .catch(() => true) // the network may come back
        .then((more) => {
          if (more && Date.now() < until) next();
        });
    }, everyMs);
  };
  next();
}
