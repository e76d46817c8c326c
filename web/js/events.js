// Server-sent events over fetch: `EventSource` sends no token, and does not tell a refusal from a lost connection.

/**
 * The events of a stream, their data read as JSON, until it ends.
 * @param {ReadableStream<Uint8Array>} stream
 */
export async function* events(stream) {
  let text = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  const fields = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(event|data): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = value;
  }
  // A comment, which keeps the connection open.
  return fields.data ? { event: fields.event, data: JSON.parse(fields.data) } : undefined;
}
