// The API reference of /docs: Swagger UI on this gateway's own description, in the colours that the reader prefers.

interface Sent {
  headers: Record<string, string>;
  credentials?: "omit" | "same-origin";
}

declare function SwaggerUIBundle(options: Record<string, unknown>): unknown;

const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = (): void => void root.classList.toggle("dark-mode", dark.matches);

follow();
dark.addEventListener("change", follow);

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  persistAuthorization: false,
  // A key beside the cookie of somebody who is signed in would be refused as two credentials.
  requestInterceptor: (sent: Sent): Sent => (sent.headers.Authorization ? { ...sent, credentials: "omit" } : sent),
});
