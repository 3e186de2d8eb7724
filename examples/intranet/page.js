// Gives the widget who is signed in here; it asks again when its session is over.
const chat = document.querySelector("canongate-chat");
if (chat) {
  chat.token = async () => {
    const reply = await fetch("/chat-token", { cache: "no-store" });
    if (!reply.ok) throw new Error("the portal signed nobody in");
    return reply.text();
  };
}
