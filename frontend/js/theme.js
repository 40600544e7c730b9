// Shows the courier's app in the theme that was chosen on this phone, before anything is painted. The app itself keeps
// the choice, in `courier/preferences.rs`, under the same name.

try {
  const theme = localStorage.getItem("doorstep.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // The browser keeps nothing for this page: it follows the phone.
}
