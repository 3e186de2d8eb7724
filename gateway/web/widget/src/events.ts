// Server-sent events out of a body: `EventSource` cannot post, send headers or see pings.

export interface StreamEvent {
  id: number;
  name: string;
  data: unknown;
}

/** Gives the events of a body as they come; `onBytes` hears of every piece, pings too. */
export async function* eventsOf(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<StreamEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += value;
      const frames = rest.split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const event = read(frame);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function read(frame: string): StreamEvent | null {
  const of = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(frame)?.[1];
  const data = of("data"); // always one line
  return data ? { id: Number(of("id")), name: of("event") ?? "", data: JSON.parse(data) } : null;
}
