// Files come by a picker, or are dropped anywhere on the page and go to the view that is shown.

import { byId } from "./dom.js";

/** The largest file that is read: over what any proof or input has, so that nobody waits for a film to be read. */
const LARGEST = 300 << 20;

const receivers = new Map();

/**
 * Hands files of a view to `receive(name, bytes)`, or why not to `refuse(reason)`.
 * @param {string} view the id of its section, before `-file` and `-name` in those of its picker
 */
export function receiveFiles(view, receive, refuse) {
  const take = async (file) => {
    if (!file) return;
    byId(`${view}-name`).textContent = file.name;
    if (file.size > LARGEST) return refuse(`${file.name} is larger than any proof`);
    try {
      receive(file.name, new Uint8Array(await file.arrayBuffer()));
    } catch (error) {
      refuse(`${file.name} cannot be read: ${error.message}`);
    }
  };
  receivers.set(view, take);
  const picker = byId(`${view}-file`);
  picker.addEventListener("change", () => {
    take(picker.files[0]);
    // The same file may be chosen again.
    picker.value = "";
  });
}

/** Takes what is dropped; a browser would leave the page for it. */
export function takeDrops() {
  const { body } = document;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) body.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("dragging");
    const shown = document.querySelector("main > section:not([hidden])");
    receivers.get(shown?.id)?.(event.dataTransfer.files[0]);
  });
}
