// Which server the page talks to: the one that served it, or one that the reader has named in this tab.

import { Gateway } from "./gateway.js";
import { byId } from "./dom.js";

const KEPT = "sextant.server";

/** Fills the field of a view with the address used last. */
export function fill(view) {
  const field = byId(`${view}-server`);
  field.value ||= sessionStorage.getItem(KEPT) ?? (location.protocol.startsWith("http") ? location.origin : "");
}

/** The server that a view names; its token is kept nowhere. Throws where the address is none. */
export function named(view) {
  const address = byId(`${view}-server`).value.trim();
  if (!/^https?:/i.test(address) || !URL.canParse(address)) {
    throw new Error(`${address || "Nothing"} is no address of a server: http://… or https://…`);
  }
  sessionStorage.setItem(KEPT, address);
  return new Gateway(address, byId(`${view}-token`).value.trim());
}
