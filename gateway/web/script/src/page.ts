// What every admin page gets: shortcuts, the palette, copying, and a question before typed text is lost.
import { copyButtons } from "./copying";
import { guardForms } from "./forms";
import { keepForms } from "./keeping";
import { liveParts } from "./live";
import { palette } from "./palette";
import { askWidget, previewForm } from "./preview";
import { presence } from "./presence";
import { progress } from "./progress";
import { selection } from "./selection";
import { shortcuts } from "./shortcuts";
import { waiting } from "./waiting";

const found = palette();
const opener = document.querySelector<HTMLButtonElement>("#open-palette");
if (found && opener) {
  opener.hidden = false;
  opener.addEventListener("click", () => found.open());
}
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog")?.close());
}
guardForms();
keepForms();
copyButtons();
liveParts();
presence();
waiting();
progress();
selection();
previewForm();
askWidget();
shortcuts(found);
