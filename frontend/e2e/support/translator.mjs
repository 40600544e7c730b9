// What browsers' page translators do to a page. Every text becomes elements of the translator's own, and the text node
// that the page's program made leaves the page; what comes later is translated, too. The other language is capital letters.

/** Translates a page from now on. */
export function translate(page) {
  return page.evaluate(translator);
}

/** The translator's own elements below an element. */
export function translated(locator) {
  return locator.locator("font font");
}

function translator() {
  const left = "script, style, noscript, textarea, svg, font, [translate=no]";
  const speak = (text) => {
    if (!text.isConnected || !text.data.trim() || text.parentElement.closest(left)) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = text.data.toUpperCase();
    outer.append(inner);
    text.replaceWith(outer);
  };
  const speakAll = (node) => {
    const texts = [];
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    if (node.nodeType === Node.TEXT_NODE) texts.push(node);
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach(speak);
  };
  const changed = (changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "characterData") speak(target);
      addedNodes.forEach(speakAll);
    }
  };
  speakAll(document.body);
  new MutationObserver(changed).observe(document.body, { childList: true, characterData: true, subtree: true });
}
