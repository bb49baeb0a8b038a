// A passkey or security key: the browser makes one (form[data-make]) or answers
// with one (form[data-ask]), and the form carries its answer to the portal.
import { part } from "./page";
import { text } from "./text";

const form = document.querySelector<HTMLFormElement>("#key");
if (form) start(form);

function start(form: HTMLFormElement): void {
  const button = part<HTMLButtonElement>("key-use");
  const said = part("key-said");
  if (!supported()) {
    said.textContent = text("key.js.unsupported");
    return;
  }
  button.disabled = false;
  form.addEventListener("submit", (event) => {
    const answer = form.elements.namedItem("answer") as HTMLInputElement;
    if (answer.value !== "") return; // on its way
    event.preventDefault();
    button.disabled = true;
    said.textContent = text("key.js.waiting");
    answerOf(form).then(
      (credential) => {
        answer.value = JSON.stringify(credential);
        form.submit();
      },
      (fault: unknown) => {
        button.disabled = false;
        button.focus();
        const there = fault instanceof DOMException && fault.name === "InvalidStateError";
        said.textContent = text(there ? "key.js.there" : "key.js.not-used");
      },
    );
  });
}

/** Browsers of 2025 and later; older ones would need the options taken apart by hand. */
function supported(): boolean {
  return (
    typeof PublicKeyCredential !== "undefined" &&
    "parseCreationOptionsFromJSON" in PublicKeyCredential &&
    "parseRequestOptionsFromJSON" in PublicKeyCredential
  );
}

async function answerOf(form: HTMLFormElement): Promise<unknown> {
  const { make, ask } = form.dataset;
  const credential = make
    ? await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(make) as PublicKeyCredentialCreationOptionsJSON),
      })
    : await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(ask ?? "{}") as PublicKeyCredentialRequestOptionsJSON),
      });
  if (!(credential instanceof PublicKeyCredential)) throw new Error("no credential");
  return credential.toJSON();
}
