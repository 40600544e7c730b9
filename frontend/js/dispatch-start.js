// Starts the console. A file of its own instead of a script inside the page, so that the page needs no nonce.

import init, { dispatch } from "/assets/pkg/dispatch.js";

init()
  .then(dispatch)
  .catch((error) => {
    console.error(error);
    document.getElementById("app").hidden = true;
    document.getElementById("not-started").hidden = false;
  });
