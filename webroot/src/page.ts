/** The element with this id; a page without it was built wrong. */
export function part<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found as T;
}

/** The element of a piece of the page that is there several times: [data-part=name] in it. */
export function within<T extends HTMLElement = HTMLElement>(root: ParentNode, name: string): T {
  const found = root.querySelector<T>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the page lacks a part ${name}`);
  return found;
}

/** A copy of the one element in <template id=...>. */
export function copyOf(id: string): HTMLElement {
  const found = part<HTMLTemplateElement>(id).content.firstElementChild;
  if (!found) throw new Error(`the template ${id} is empty`);
  return document.importNode(found, true) as HTMLElement; // a template's own document has no window
}
