// Examples of `pages.yaml`: what each rule finds, and what is like it and allowed. Nothing imports this file.

// ruleid: no-markup-from-text
node.innerHTML = answer;
// ruleid: no-markup-from-text
node.insertAdjacentHTML("beforeend", answer);
// ok: no-markup-from-text
node.textContent = answer;

// ruleid: no-script-from-text
eval(answer);
// ruleid: no-script-from-text
new Function(answer);
// ok: no-script-from-text
setTimeout(() => close(), 5);

// ruleid: messages-of-frames-name-their-origin
parent.postMessage(said, "*");
// ok: messages-of-frames-name-their-origin
parent.postMessage(said, origin);
