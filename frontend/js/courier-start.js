// Starts the courier's app. A file of its own instead of a script inside the page, so that the page needs no nonce and
// the service worker can keep it.

import init, { courier } from "/assets/pkg/courier.js";

init()
  .then(courier)
  .catch((error) => {
    console.error(error);
    document.getElementById("app").hidden = true;
    document.getElementById("not-started").hidden = false;
  });
